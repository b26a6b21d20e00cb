// Where lanes.mjs trains: in a Worker, as the join page does.
import { loadCore, type Core } from '../../../web/src/core/core.ts';
import { serve } from '../../../web/src/core/rpc.ts';
import type { HelperPort } from '../../../web/src/core/slices.ts';
import { loadThreads } from '../../../web/src/core/threads.ts';
import { run } from '../../web/cases.ts';

let width = 1;
let wasm: ArrayBuffer;
let single: Core;
let shared: Core;
type Setting = Parameters<typeof run>[1];

serve(
  {
    async start(threads: number): Promise<void> {
      width = threads;
      wasm = await (await fetch('/entente.wasm')).arrayBuffer();
      single = await loadCore(wasm);
      const at = (ending: string) => new URL(`/entente_threads.${ending}`, location.href).href;
      shared = await loadThreads({ module: at('mjs'), worker: at('worker.js'), wasm: at('wasm') }, width);
    },
    one: (setting: Setting) => run(single, setting),
    threads: (setting: Setting) => run(shared, setting),
    sliced: (setting: Setting) => run(single, { ...setting, slices: width }),
    workers(setting: Setting) {
      const open = () => new Worker('/helper.mjs', { type: 'module' }) as unknown as HelperPort;
      return run(single, { ...setting, slices: width }, { wasm, open, helpers: width - 1 });
    },
  },
  self as never,
);
