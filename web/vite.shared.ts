import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

// Where the wasm build put entente.wasm.
export function wasmDirectory(): string {
  const directory = resolve(process.env['ENTENTE_WASM_DIR'] ?? resolve(import.meta.dirname, '../build/wasm/wasm'));
  if (!existsSync(resolve(directory, 'entente.wasm'))) {
    throw new Error(
      `Expected entente.wasm in ${directory}. Build it first (cmake --preset wasm && cmake --build --preset wasm), ` +
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
