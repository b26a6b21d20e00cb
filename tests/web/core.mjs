// The TypeScript wrapper of the core for Node: bundled once by esbuild (a part of Vite).
import { createRequire } from 'node:module';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const web = resolve(import.meta.dirname, '../../web');
const require = createRequire(resolve(web, 'node_modules/vite/package.json'));
export const wasmDirectory = resolve(process.env.ENTENTE_WASM_DIR ?? resolve(web, '../build/wasm/wasm'));
export const threadsDirectory = resolve(process.env.ENTENTE_WASM_THREADS_DIR ?? resolve(web, '../build/wasm-threads/wasm'));
export const joinDirectory = resolve(process.env.ENTENTE_WASM_JOIN_DIR ?? resolve(web, '../build/wasm-join/wasm'));
export const wasmBytes = () => readFileSync(resolve(wasmDirectory, 'entente.wasm'));

// A file of TypeScript as one ES module: its text.
export async function bundle(entry, platform = 'neutral') {
  const esbuild = require('esbuild');
  const result = await esbuild.build({
    entryPoints: [entry], bundle: true, format: 'esm', platform, write: false, target: 'es2022', logLevel: 'error',
  });
  return result.outputFiles[0].text;
}

export async function importBundle(entry) {
  const { writeFileSync } = await import('node:fs');
  const folder = mkdtempSync(join(tmpdir(), 'entente-core-'));
  const file = join(folder, 'bundle.mjs');
  writeFileSync(file, await bundle(entry));
  try {
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const loadCoreInNode = async () => {
  const { loadCore } = await importBundle(resolve(web, 'src/core/core.ts'));
  return loadCore(wasmBytes());
};
