import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Plugin } from 'vite';

// Where the wasm build put entente.mjs and entente.wasm.
export function wasmDirectory(): string {
  const directory = resolve(process.env['ENTENTE_WASM_DIR'] ?? resolve(import.meta.dirname, '../build/wasm/wasm'));
  if (!existsSync(resolve(directory, 'entente.mjs'))) {
    throw new Error(
      `Expected entente.mjs in ${directory}. Build it first (cmake --preset wasm && cmake --build --preset wasm), ` +
        'or name its folder in ENTENTE_WASM_DIR.',
    );
  }
  return directory;
}

export const alias = () => ({ '#wasm': wasmDirectory() });

// The module is always started with its bytes in hand; without this, Vite would ship the file a second time.
export function wasmByHand(): Plugin {
  return {
    name: 'wasm-by-hand',
    transform(code, id) {
      if (!id.endsWith('entente.mjs')) return null;
      return { code: code.replace(/new URL\(["']entente\.wasm["'],\s*import\.meta\.url\)/g, '"entente.wasm"'), map: null };
    },
  };
}
