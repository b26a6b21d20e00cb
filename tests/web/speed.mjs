// How fast a page trains on one thread, on threads, and with Workers that share no memory, in headless Chromium:
//   node tests/web/speed.mjs [THREADS] [ROUNDS]
// Examples a second, min / median / max of interleaved rounds, and the ratio to one thread without slices in the same round.
// The digests are compared: what computes something else is not faster.
import { resolve } from 'node:path';
import { openBrowser } from './browser.mjs';
import { bundle, threadsDirectory, wasmBytes } from './core.mjs';
import { fileOf, serveIsolated } from './isolated.mjs';

const width = Number(process.argv[2] ?? 2);
const rounds = Number(process.argv[3] ?? 7);
const settings = [
  { name: 'CNN B=32', cnn: true, batch: 32, steps: 6 },
  { name: 'CNN B=64', cnn: true, batch: 64, steps: 4 },
  { name: '2NN B=32', cnn: false, batch: 32, steps: 100 },
];
const kinds = { one: '1 thread', threads: `${width} threads`, sliced: `1 thread, ${width} slices`, workers: `${width} Workers, ${width} slices` };

const server = await serveIsolated({
  '/': '<!doctype html><title>Speed</title><script type="module" src="/speed_page.mjs"></script>',
  ...Object.fromEntries(await Promise.all(['speed_page', 'speed_worker', 'helper'].map(async (name) => [`/${name}.mjs`, await bundle(resolve(import.meta.dirname, `${name}.ts`))]))),
  '/entente.wasm': wasmBytes(),
  ...Object.fromEntries(['mjs', 'worker.js', 'wasm'].map((ending) => [`/entente_threads.${ending}`, fileOf(resolve(threadsDirectory, `entente_threads.${ending}`))])),
});
const browser = await openBrowser();
try {
  const page = await browser.newPage();
  await page.goto(server.address);
  await page.evaluate((threads) => globalThis.remote.start(threads), width);
  for (const { name, ...setting } of settings) {
    const found = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
    const digests = {};
    for (let round = 0; round < rounds; round++) {
      for (const kind of Object.keys(kinds)) {
        const { digest, ms, examples } = await page.evaluate(([k, s]) => globalThis.remote[k](s), [kind, setting]);
        digests[kind] = digest;
        found[kind].push(examples / (ms / 1000));
      }
    }
    if (digests.one !== digests.threads || digests.sliced !== digests.workers) throw new Error(`${name}: ${JSON.stringify(digests)}`);
    const tell = (values, places) => {
      const sorted = [...values].sort((a, b) => a - b);
      return [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)].map((value) => value.toFixed(places)).join(' / ');
    };
    for (const [kind, values] of Object.entries(found)) {
      const ratio = kind === 'one' ? '' : `, ${tell(values.map((value, i) => value / found.one[i]), 2)} of 1 thread`;
      console.log(`${name}, ${kinds[kind]}: ${tell(values, 0)} examples/s${ratio}`);
    }
  }
} finally {
  await browser.closeAll();
  server.stop();
}
