// The core with threads over shared memory: for pages that are isolated (COOP and COEP), where the browser allows it.
//
//   const width = lanes();                                  // 1: this page cannot have threads
//   if (width > 1) core = await loadThreads(files, width);
//
// The bits are those of loadCore(). The Workers belong to the core and end with whoever started it.
import { Core, type Module } from './core.ts';

// Addresses; `module` and `worker` are loaded as they are, because the core's Workers load them again.
export interface ThreadsFiles {
  module: string;
  worker: string;
  wasm: string;
}

type Factory = (options: {
  helpers: number;
  mainScriptUrlOrBlob: string;
  locateFile: (name: string) => string;
}) => Promise<Module>;

const most = 8;
const patience_ms = 10_000;

// How many of this computer's the page uses at most.
export const cores = (): number => Math.min(most, navigator.hardwareConcurrency || 1);

// How many threads the core may have here.
export const lanes = (): number => (globalThis.crossOriginIsolated ? cores() : 1);

export async function loadThreads(files: ThreadsFiles, width: number): Promise<Core> {
  const { default: factory } = (await import(/* @vite-ignore */ files.module)) as { default: Factory };
  const module = await soon(
    factory({
      helpers: width - 1,
      mainScriptUrlOrBlob: files.module,
      locateFile: (name) => (name.endsWith('.wasm') ? files.wasm : files.worker),
    }),
  );
  const core = new Core(module);
  core.text('_ent_threads', width);
  return core;
}

// A browser that refuses the Workers says nothing at all.
function soon<T>(pending: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the threads did not start')), patience_ms);
    pending.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
