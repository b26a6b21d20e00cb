// tests/web/cases.ts in Chromium.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { openBrowser } from './browser.mjs';
import { bundle, wasmBytes } from './core.mjs';

const browser = await openBrowser();
after(() => browser.closeAll());
const page = await browser.newPage();
const code = `data:text/javascript;base64,${Buffer.from(await bundle(resolve(import.meta.dirname, 'cases.ts'))).toString('base64')}`;
const results = await page.evaluate(
  async ([module, wasm]) => {
    const { loadCore, outcomes } = await import(module);
    const bytes = Uint8Array.from(atob(wasm), (c) => c.charCodeAt(0));
    return outcomes(await loadCore(bytes), bytes.buffer);
  },
  [code, wasmBytes().toString('base64')],
);
for (const { name, error } of results) test(`in Chromium: ${name}`, () => assert.equal(error, null));
