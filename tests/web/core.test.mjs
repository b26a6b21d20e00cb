// tests/web/cases.ts in Node.
import test from 'node:test';
import { resolve } from 'node:path';
import { importBundle, wasmBytes } from './core.mjs';

const { cases, loadCore } = await importBundle(resolve(import.meta.dirname, 'cases.ts'));
const wasm = new Uint8Array(wasmBytes()).buffer;
for (const { name, run } of cases(await loadCore(wasm), wasm)) test(name, run);
