// tests/web/cases.ts in Node.
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { resolve } from 'node:path';
import { importBundle, joinDirectory, wasmBytes } from './core.mjs';

const { cases, loadCore, shippedCases } = await importBundle(resolve(import.meta.dirname, 'cases.ts'));
const wasm = new Uint8Array(wasmBytes()).buffer;
const core = await loadCore(wasm);
const ships = new Uint8Array(readFileSync(resolve(joinDirectory, 'entente_join.wasm'))).buffer;
for (const { name, run } of [...cases(core, wasm), ...shippedCases(ships, core)]) test(name, run);
