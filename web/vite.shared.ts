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

const directoryOf = (preset: string) => resolve(import.meta.dirname, `../build/${preset}/wasm`);

// Which of the modules the pages take: see wasm/CMakeLists.txt. Those with threads come from a build of their own.
export const alias = [
  { find: /^#wasm\/entente\./, replacement: `${directoryOf('wasm-join')}/entente_join.` },
  { find: /^#wasm\/slices\./, replacement: `${directoryOf('wasm-join')}/entente_join_slices.` },
  { find: /^#wasm\/table\./, replacement: `${directoryOf('wasm-join')}/entente_join_table.` },
  { find: /^#wasm\/log\./, replacement: `${directoryOf('wasm-join')}/entente_log.` },
  { find: /^#wasm\/audit\./, replacement: `${directoryOf('wasm-join')}/entente_audit.` },
  { find: /^#wasm\/threads\./, replacement: `${process.env['ENTENTE_WASM_THREADS_DIR'] ?? directoryOf('wasm-threads')}/entente_join_threads.` },
];
