// What a built page weighs on the way to a browser: brotli 11, as the coordinator serves it.
import { readFileSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

export const dist = resolve(import.meta.dirname, '../dist');

// Everything that a page names, and what those files name in turn; at first without what is only fetched when needed.
export function reach(page, atFirst = false) {
  const assets = readdirSync(resolve(dist, 'assets')).map((name) => resolve(dist, 'assets', name));
  const seen = new Set([resolve(dist, page)]);
  for (const path of seen) {
    if (path.endsWith('.wasm')) continue;
    let text = readFileSync(path, 'utf8');
    // What import() fetches later, and the list that Vite keeps of its style sheets.
    if (atFirst) text = text.replace(/\bimport\([^)]*\)|\(m\.f=\[[^\]]*\]\)/g, '');
    for (const asset of assets) if (text.includes(asset.split('/').pop())) seen.add(asset);
  }
  return [...seen];
}

export const weigh = (files) => files.reduce((total, path) => total + brotliCompressSync(readFileSync(path)).length, 0);

// The page loads the core with threads or the one without; those for Workers and for tables only where a plan wants them.
export const bytesToFirstStep = ({ threads = false } = {}) =>
  weigh(reach('join.html', true).filter((path) => !(threads ? /entente_join(_slices|_table)?-[^/]*\.wasm$/ : /_(threads|slices|table)[-.]/).test(path)));
