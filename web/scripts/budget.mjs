// What the pages weigh against what they may weigh (brotli 11). Exit code 1 when one is over.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

const dist = resolve(import.meta.dirname, '../dist');
const weigh = (path) => brotliCompressSync(readFileSync(path)).length;
const assets = readdirSync(resolve(dist, 'assets')).map((name) => resolve(dist, 'assets', name));

// Everything that a page names, and what those files name in turn; at first without what is only fetched when needed.
function reach(page, atFirst) {
  const seen = new Set([page]);
  for (const path of seen) {
    if (path.endsWith('.wasm')) continue;
    let text = readFileSync(path, 'utf8');
    if (atFirst) text = text.replace(/\bimport\([^)]*\)/g, '');
    for (const asset of assets) if (text.includes(asset.split('/').pop())) seen.add(asset);
  }
  return [...seen];
}

let over = false;
function report(name, bytes, limit) {
  const bad = bytes >= limit;
  over ||= bad;
  console.log(`${bad ? 'OVER' : 'ok  '}  ${name}: ${bytes.toLocaleString('en')} of ${limit.toLocaleString('en')} bytes`);
}

const sum = (files, keep = () => true) => files.filter(keep).reduce((total, path) => total + weigh(path), 0);
for (const page of ['index.html', 'join.html']) {
  report(`${page}, JavaScript (brotli)`, sum(reach(resolve(dist, page)), (path) => path.endsWith('.js')), 60 * 1000);
}
report('join.html, to the first training step (brotli)', sum(reach(resolve(dist, 'join.html'), true)), 195 * 1000);
const demo = resolve(dist, 'demo.html');
if (existsSync(demo)) report('demo.html (as it is)', readFileSync(demo).length, 4_000_000);
process.exitCode = over ? 1 : 0;
