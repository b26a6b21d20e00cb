// Training on several threads in Chromium: the core with threads in an isolated page (tests/web/cases.ts once more), and
// Workers that compute slices in a page that is not isolated. The bits are those of one thread.
// Skipped, with a label, while the bundle is not built (script/build web).
import test, { after, before } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openBrowser } from './browser.mjs';
import { bundle, importBundle, threadsDirectory, wasmBytes } from './core.mjs';
import { fileOf, serveIsolated } from './isolated.mjs';

const module = resolve(threadsDirectory, 'entente_threads.mjs');
const skip = existsSync(module) ? false : `no module at ${module}`;
const entry = resolve(import.meta.dirname, 'cases.ts');
let browser;
let server;
before(async () => {
  if (skip) return;
  server = await serveIsolated({
    '/': '<!doctype html><title>Threads</title>',
    '/cases.mjs': await bundle(entry),
    '/helper.mjs': await bundle(resolve(import.meta.dirname, 'helper.ts')),
    '/entente.wasm': wasmBytes(),
    ...Object.fromEntries(['mjs', 'worker.js', 'wasm'].map((ending) => [`/entente_threads.${ending}`, fileOf(resolve(threadsDirectory, `entente_threads.${ending}`))])),
  });
  browser = await openBrowser();
});
after(async () => {
  await browser?.closeAll();
  server?.stop();
});

// In the page; a function of its own must not see anything of this file.
const withThreads = async ({ width, work }) => {
  const tests = await import('/cases.mjs');
  const at = (ending) => new URL(`/entente_threads.${ending}`, location.href).href;
  const core = await tests.loadThreads({ module: at('mjs'), worker: at('worker.js'), wasm: at('wasm') }, width);
  if (work === 'digests') {
    const digests = [];
    for (const setting of tests.trainings) digests.push(await tests.digestOf(core, setting));
    return digests;
  }
  return tests.outcomes(core, await (await fetch('/entente.wasm')).arrayBuffer());
};

test('an isolated page may have threads, another may not', { skip }, async () => {
  const page = await browser.newPage();
  const seen = async (path) => {
    await page.goto(server.address + path);
    return page.evaluate(async () => [crossOriginIsolated, (await import('/cases.mjs')).lanes()]);
  };
  const [isolated, lanes] = await seen('/');
  assert.equal(isolated, true);
  assert.ok(lanes >= 1);
  assert.deepEqual(await seen('/?plain'), [false, 1]);
});

test('the wrapper with two threads', { skip, timeout: 120_000 }, async (t) => {
  const page = await browser.newPage();
  await page.goto(server.address);
  const results = await page.evaluate(withThreads, { width: 2, work: 'cases' });
  assert.ok(results.length > 5);
  for (const { name, error } of results) await t.test(name, () => assert.equal(error, null));
});

// In Node, on one thread.
async function digests() {
  const tests = await importBundle(entry);
  const core = await tests.loadCore(wasmBytes());
  const found = [];
  for (const setting of tests.trainings) found.push(await tests.digestOf(core, setting));
  assert.equal(new Set(found).size, found.length);
  return found;
}

test('one digest with Workers that share no memory', { skip, timeout: 120_000 }, async () => {
  const expected = await digests();
  const page = await browser.newPage();
  await page.goto(`${server.address}/?plain`);
  const found = await page.evaluate(async () => {
    const tests = await import('/cases.mjs');
    const wasm = await (await fetch('/entente.wasm')).arrayBuffer();
    const core = await tests.loadCore(wasm);
    const open = () => new Worker('/helper.mjs', { type: 'module' });
    const results = [];
    for (const helpers of [1, 2, 3]) {
      for (const setting of tests.trainings.slice(1)) {
        const { digest, lanes } = await tests.run(core, setting, { wasm, open, helpers });
        results.push([digest, lanes]);
      }
    }
    return results;
  });
  assert.deepEqual(found, [1, 2, 3].flatMap((helpers) => expected.slice(1).map((digest) => [digest, helpers + 1])));
});

test('one digest, whatever the number of threads', { skip, timeout: 120_000 }, async () => {
  const expected = await digests();
  for (const width of [2, 3]) {
    const page = await browser.newPage();
    await page.goto(server.address);
    assert.deepEqual(await page.evaluate(withThreads, { width, work: 'digests' }), expected, `${width} threads`);
    await page.close();
  }
});
