// Training in a tab on one thread, on two threads, and with two Workers that share no memory, one question a line:
//   {"kind":"threads","model":"cnn","batch":32,"steps":8}  ->  {"value": examples per second}
// kind: one · threads · sliced (one thread, the Workers' plan) · workers. What computes something else is not faster: the
// first answer of each kind is held against the digest of one thread.
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { openBrowser } from '../../web/browser.mjs';
import { bundle, threadsDirectory, wasmBytes } from '../../web/core.mjs';
import { fileOf, serveIsolated } from '../../web/isolated.mjs';

const width = 2;
const here = import.meta.dirname;
const scripts = { page: resolve(here, 'lanes_page.ts'), worker: resolve(here, 'lanes_worker.ts'), helper: resolve(here, '../../web/helper.ts') };
const server = await serveIsolated({
  '/': '<!doctype html><title>Lanes</title><script type="module" src="/page.mjs"></script>',
  ...Object.fromEntries(await Promise.all(Object.entries(scripts).map(async ([name, path]) => [`/${name}.mjs`, await bundle(path)]))),
  '/entente.wasm': wasmBytes(),
  ...Object.fromEntries(['mjs', 'worker.js', 'wasm'].map((ending) => [`/entente_threads.${ending}`, fileOf(resolve(threadsDirectory, `entente_threads.${ending}`))])),
});
const browser = await openBrowser();
const page = await browser.newPage();
await page.goto(server.address);
await page.evaluate((threads) => globalThis.remote.start(threads), width);

const train = (kind, setting) => page.evaluate(([k, s]) => globalThis.remote[k](s), [kind, setting]);
const held = new Set();

async function rate({ kind, model, batch, steps }) {
  const setting = { cnn: model === 'cnn', batch, steps };
  const { digest, ms, examples } = await train(kind, setting);
  const key = JSON.stringify([kind, setting]);
  if (!held.has(key)) {
    const alone = await train(kind === 'workers' || kind === 'sliced' ? 'sliced' : 'one', setting);
    if (alone.digest !== digest) throw new Error(`${key}: expected the digest of one thread, ${alone.digest}, found ${digest}`);
    held.add(key);
  }
  return examples / (ms / 1000);
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await rate(JSON.parse(line)).then((value) => ({ value }), (error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
await browser.closeAll();
server.stop();
