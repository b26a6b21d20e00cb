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

const threadsDirectory = () => resolve(process.env['ENTENTE_WASM_THREADS_DIR'] ?? resolve(import.meta.dirname, '../build/wasm-threads/wasm'));

// Which of the modules a page takes: see wasm/CMakeLists.txt. The one with threads comes from a build of its own.
export const alias = (module: 'entente' | 'entente_join') => [
  { find: /^#wasm\/entente\./, replacement: `${wasmDirectory()}/${module}.` },
  { find: /^#wasm\/slices\./, replacement: `${wasmDirectory()}/${module}_slices.` },
  { find: /^#wasm\/threads\./, replacement: `${threadsDirectory()}/${module}_threads.` },
];

// The module is always started with its bytes in hand; without this, Vite would ship the file a second time.
export function wasmByHand(): Plugin {
  return {
    name: 'wasm-by-hand',
    transform(code, id) {
      if (!/entente(_join(_slices)?)?\.mjs$/.test(id)) return null;
      return { code: code.replace(/new URL\(["'](\w+\.wasm)["'],\s*import\.meta\.url\)/g, '"$1"'), map: null };
    },
  };
}
