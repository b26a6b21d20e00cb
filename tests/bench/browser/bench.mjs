// Training in a tab, ours and others', one question a line: node bench.mjs MNIST-FOLDER PEERS-FOLDER GRAPHS-FOLDER
//   {"what":"rate","who":"ours","model":"cnn","batch":32,"seconds":0.6}  ->  {"value": examples per second}
//   {"what":"first","who":"ours"}   milliseconds from navigation to the end of 2NN's first step, in a fresh browser that has come to rest
//   {"what":"bytes","who":"tfjs"}   what was fetched for it, brotli 11; "ours" is the whole join page
// Each contestant keeps a tab; before the first rate of a model its first five losses are held against Entente's.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { brotliCompressSync } from 'node:zlib';
import { bytesToFirstStep } from '../../../web/scripts/weigh.mjs';
import { openBrowser } from '../../web/browser.mjs';

const here = import.meta.dirname;
const [mnist, peers, graphs] = process.argv.slice(2).map((path) => resolve(path));
const rows = 8 * 64;
const kinds = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

const { build } = createRequire(createRequire(resolve(here, '../../../web/package.json')).resolve('vite/package.json'))('esbuild');

async function bundled(name) {
  const made = await build({ entryPoints: [resolve(here, name)], bundle: true, minify: true, format: 'esm', write: false, logLevel: 'error', nodePaths: [resolve(peers, 'node_modules')] });
  return Buffer.from(made.outputFiles[0].contents);
}

const head = (name, from, size) => Buffer.from(readFileSync(resolve(mnist, name)).subarray(from, from + size));

function made(path) {
  if (path.startsWith('/bundled/')) return bundled(path.slice('/bundled/'.length));
  if (path === '/digits') return head('train-images-idx3-ubyte', 16, rows * 784);
  if (path === '/labels') return head('train-labels-idx1-ubyte', 8, rows);
  const places = { '/ours/': resolve(here, '../../../build/wasm/tests'), '/npm/': resolve(peers, 'node_modules'), '/graphs/': graphs };
  for (const [prefix, folder] of Object.entries(places)) if (path.startsWith(prefix)) return readFileSync(resolve(folder, path.slice(prefix.length)));
  return path === '/empty.html' ? Buffer.from('<!doctype html><link rel="icon" href="data:,">') : readFileSync(resolve(here, path.slice(1)));
}

const ready = new Map(); // what was asked for once: no page waits for a disk or a bundler that another did not wait for
const served = new Map(); // since it was cleared
let told; // by a page that has done its first step
const server = createServer(async (request, response) => {
  const path = new URL(request.url, 'http://localhost').pathname;
  try {
    if (path === '/first') {
      response.end();
      told(Number(await text(request)));
      return;
    }
    if (!ready.has(path)) ready.set(path, await made(path));
    const body = ready.get(path);
    served.set(path, body);
    response.writeHead(200, {
      'Content-Type': kinds[extname(path)] ?? 'application/octet-stream',
      'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp',
    }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await openBrowser();
const tabs = new Map();

async function contestant(who, model, batch) {
  const key = `${who} ${model} ${batch}`;
  if (tabs.has(key)) return tabs.get(key);
  // One model at a time: what is not asked for should not hold memory.
  for (const [other, tab] of tabs) {
    if (other.endsWith(` ${model} ${batch}`)) continue;
    await tab.page.close();
    tabs.delete(other);
  }
  const page = await browser.newPage();
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(`${origin}/${who}.html`);
  await page.waitForFunction(() => window.contestant, undefined, { timeout: 60_000 }).catch(() => { throw new Error(`${who}: ${faults.join('; ') || 'the page never was ready'}`); });
  await page.evaluate(([m, b]) => window.contestant.setup(m, b), [model, batch]);
  const losses = [];
  for (let i = 0; i < 5; i++) losses.push(await page.evaluate(() => window.contestant.steps(1)));
  const tab = { page, losses, rate: 0 };
  tabs.set(key, tab);
  return tab;
}

// How long `count` steps took by the page's own clock.
const timed = (page, count) => page.evaluate(async (n) => {
  const from = performance.now();
  await window.contestant.steps(n);
  return (performance.now() - from) / 1000;
}, count);

async function measure({ who, model, batch, seconds }) {
  const ours = await contestant('ours', model, batch);
  const tab = await contestant(who, model, batch);
  const off = Math.max(...tab.losses.map((loss, i) => Math.abs(loss - ours.losses[i]) / Math.max(0.05, Math.abs(ours.losses[i]))));
  if (!(off < 2e-3)) throw new Error(`${who}, ${model}: not the same work: losses ${tab.losses} beside ${ours.losses}`);
  await tab.page.bringToFront();
  if (tab.rate === 0) tab.rate = 8 / (await timed(tab.page, 8));
  const count = Math.max(8, Math.round((tab.rate * seconds) / 8) * 8);
  tab.rate = count / (await timed(tab.page, count));
  return tab.rate * batch;
}

const warm = new Set();
const rest = () => new Promise((done) => setTimeout(done, 1500)); // the browser's own start is nobody's

async function firstStep({ who }) {
  if (!warm.has(who)) {
    warm.add(who);
    await firstStep({ who });
  }
  const fresh = await openBrowser();
  try {
    const page = await fresh.newPage();
    page.on('pageerror', (error) => failed(new Error(`${who}: ${error.message}`)));
    let failed;
    const done = new Promise((resolve_, reject) => ([told, failed] = [resolve_, reject]));
    await page.goto(`${origin}/empty.html`);
    await rest();
    served.clear();
    await page.goto(`${origin}/${who}.html?first`);
    return await done;
  } finally {
    await fresh.closeAll();
  }
}

async function bytes({ who }) {
  if (who === 'ours') return bytesToFirstStep();
  await firstStep({ who });
  return [...served].reduce((sum, [path, body]) => sum + (path === '/digits' || path === '/labels' ? 0 : brotliCompressSync(body).length), 0);
}

const answers = { rate: measure, first: firstStep, bytes };

for await (const line of createInterface({ input: process.stdin })) {
  try {
    const question = JSON.parse(line);
    console.log(JSON.stringify({ value: await answers[question.what](question) }));
  } catch (error) {
    console.log(JSON.stringify({ error: error.message.split('\n')[0] }));
  }
}
await browser.closeAll();
server.close();
