// tests/web/cases.ts in Node.
import test from 'node:test';
import { resolve } from 'node:path';
import { importBundle, wasmBytes } from './core.mjs';

const { cases } = await importBundle(resolve(import.meta.dirname, 'cases.ts'));
for (const { name, run } of await cases(wasmBytes())) test(name, run);
