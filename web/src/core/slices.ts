// Slices of a training's batches, computed by Workers that share no memory with it: for pages that may not have threads.
//
//   const core = await loadCore(wasm);              // of the module that has what slices want
//   const pool = new SlicePool(count, () => new Worker(...), { wasm, envelope, coordinatorKey });
//   await pool.share(core, training, slices);       // then the training's next step has less to do
//   pool.close();
//
//   in the Worker:  serveSlices(self);
//
// Whatever a Worker does not give, the training computes by itself: the bits are the same. Weights and gradients travel in
// buffers that go to and fro.
import { loadCore, type Core } from './core.ts';

interface Task {
  slice: number;
  task: Uint8Array<ArrayBuffer>;
}
interface Part {
  slice: number;
  loss: number;
  gradient: ArrayBuffer;
}
export interface HelperStart {
  wasm: ArrayBuffer;
  envelope: ArrayBuffer; // of the plan
  coordinatorKey: string;
}
type ToHelper = { start: HelperStart } | { weights: ArrayBuffer; tasks: Task[]; buffers: ArrayBuffer[] };
type FromHelper = { weights: ArrayBuffer; parts: Part[] } | { error: string };

// A Worker, or one end of a MessageChannel.
export interface HelperPort {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
  onerror?: ((event: never) => unknown) | null;
  terminate?(): void;
  close?(): void;
}

const patience_ms = 30_000;

interface Helper {
  port: HelperPort;
  weights: ArrayBuffer | undefined; // while they are not on their way
  buffers: ArrayBuffer[];
  answered: (answer: FromHelper) => void;
}

export class SlicePool {
  #helpers: Helper[];

  constructor(count: number, open: () => HelperPort, start: HelperStart) {
    this.#helpers = Array.from({ length: count }, () => {
      const helper: Helper = { port: open(), weights: undefined, buffers: [], answered: () => undefined };
      helper.port.onmessage = (event) => helper.answered(event.data as FromHelper);
      helper.port.onerror = () => helper.answered({ error: 'the Worker failed' });
      helper.port.postMessage({ start } satisfies ToHelper, []);
      return helper;
    });
  }

  // Who computes: the caller and its helpers.
  get size(): number {
    return this.#helpers.length + 1;
  }

  close(): void {
    for (const helper of this.#helpers) end(helper);
    this.#helpers = [];
  }

  // The slices of the next step, this thread's among them. Afterwards the step only adds them.
  async share(core: Core, training: number, slices: number): Promise<void> {
    const lanes = this.size;
    const mine: number[] = [];
    const tasks: Task[][] = this.#helpers.map(() => []);
    for (let slice = 0; slice < slices; slice++) {
      const lane = Math.floor((slice * lanes) / slices);
      if (lane === 0) mine.push(slice);
      else tasks[lane - 1]!.push({ slice, task: core.bytes('_ent_slice_task', training, slice) });
    }
    const pending = this.#helpers.map((helper, i) => this.#ask(core, training, helper, tasks[i]!.filter(({ task }) => task.length > 0)));
    for (const slice of mine) core.text('_ent_slice_compute', training, slice);
    for (const [helper, answer] of await Promise.all(pending)) {
      if (!('parts' in answer)) {
        this.#helpers = this.#helpers.filter((other) => other !== helper);
        end(helper);
        continue;
      }
      helper.weights = answer.weights;
      for (const { slice, loss, gradient } of answer.parts) {
        core.write(core.place('_ent_slice_gradient', training, slice), gradient);
        core.text('_ent_slice_take', training, slice, loss);
        helper.buffers.push(gradient);
      }
    }
  }

  async #ask(core: Core, training: number, helper: Helper, tasks: Task[]): Promise<[Helper, FromHelper]> {
    if (tasks.length === 0) return [helper, { weights: helper.weights!, parts: [] }];
    const weights = core.read(core.place('_ent_slice_weights', training), helper.weights);
    const buffers = helper.buffers.splice(0, tasks.length);
    helper.weights = undefined;
    const answer = new Promise<FromHelper>((resolve) => {
      const timer = setTimeout(() => resolve({ error: 'the Worker does not answer' }), patience_ms);
      helper.answered = (found) => {
        clearTimeout(timer);
        resolve(found);
      };
    });
    helper.port.postMessage({ weights, tasks, buffers } satisfies ToHelper, [weights, ...buffers]);
    return [helper, await answer];
  }
}

function end(helper: Helper): void {
  helper.port.onmessage = null;
  helper.port.terminate?.();
  helper.port.close?.();
}

// The helper's side.
export function serveSlices(port: HelperPort): void {
  let started: Promise<{ core: Core; handle: number }> | undefined;
  async function start({ wasm, envelope, coordinatorKey }: HelperStart) {
    const core = await loadCore(wasm);
    const plan = core.openPlan(new Uint8Array(envelope), coordinatorKey);
    return { core, handle: core.handle('_ent_helper_create', plan.handle) };
  }
  port.onmessage = async ({ data }: { data: ToHelper }) => {
    try {
      if ('start' in data) {
        started = start(data.start);
        await started;
        return;
      }
      const { core, handle } = await started!;
      core.write(core.place('_ent_helper_weights', handle), data.weights);
      const parts: Part[] = data.tasks.map(({ slice, task }) => {
        const loss = new DataView(core.bytes('_ent_helper_compute', handle, task).buffer).getFloat64(0, true);
        return { slice, loss, gradient: core.read(core.place('_ent_helper_gradient', handle), data.buffers.pop()) };
      });
      port.postMessage({ weights: data.weights, parts } satisfies FromHelper, [data.weights, ...parts.map(({ gradient }) => gradient)]);
    } catch (error) {
      port.postMessage({ error: String(error) } satisfies FromHelper, []);
    }
  };
}
