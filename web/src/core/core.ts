// The core (C++ compiled to WebAssembly) as a few classes. The same file serves the page, its worker and Node.
//
//   const core = await loadCore(wasmBytes);
//   const plan = core.openPlan(envelope, coordinatorKey);
//   const participant = core.createParticipant({ plan, id, seed, acceptedBy, train: data });
//   let commands = participant.started(Date.now());
//
// Each object holds memory in the core until close(). Every call is synchronous; errors are CoreError.

export class CoreError extends Error {
  readonly code: string;
  readonly reason: string;
  constructor(error: { code: string; reason: string; message: string }) {
    super(error.message);
    this.code = error.code;
    this.reason = error.reason;
  }
}

export interface Term {
  sentence: string;
  operand: string;
  value: string;
  enforced: boolean;
  reason?: string; // why it is refused
}

export interface ContractText {
  terms: Term[];
  odrl: unknown;
}

export interface PlanText {
  federation: string;
  name: string;
  operator: string;
  purpose: string;
  coordinator: string;
  coordinator_key: string;
  digest: string;
  schema: string;
  task: string;
  table: TaskText | null; // of a plan whose partners bring a table
  classes: number;
  layers: string;
  parameters: number;
  numerics: string;
  rounds: number;
  epochs: number;
  batch: number;
  witnesses: number; // who must have cosigned the log before the next round
  slices: number; // of a batch, which may be computed side by side
  learning_rate: number;
  deadline_s: number;
  min_cohort: number;
  valid_days: number;
  update_bits: number;
  update_bytes: number;
  model_bytes: number;
  updates: ContractText;
  model: ContractText;
  verdict: { permitted: boolean; code?: string; sentence?: string };
}

export interface TaskText {
  name: string;
  title: string;
  min_rows: number;
  metrics: string[]; // as in docs/tasks.md; the first one decides
  shares: boolean; // the first round gathers what all scale with
  columns: { name: string; role: string; kind: string; optional: boolean; unit: string; why: string }[];
}

// The beginning of a table.
export interface TableLook {
  headers: string[];
  rows: string[][];
  guesses: Record<string, string>; // of each column of the task that has one: a header
}

export interface TableMapping {
  columns: { column: string; from: string; unit?: string }[];
  dates?: 'day-first' | 'month-first' | undefined;
  decimal?: '.' | ',' | undefined;
}

// What a task makes of a table.
export interface TableText {
  rows: number;
  delimiter: string;
  decimal: string;
  encoding: string;
  columns: {
    column: string; role: string; header: string; guessed: boolean; missing: number; outside: number; unknown: number; remark?: string;
    from_unit?: string; unit?: string; least?: number; most?: number; mean?: number; first?: string; last?: string; distinct?: number; frequent?: string;
  }[];
  unused: { header: string; why: string }[]; // why: it is left out because it is known too late
  train: { examples: number; positive?: number };
  test: { examples: number; positive?: number };
  inputs: number;
  without_label: number;
  duplicate_ids: number;
  given: { rows: number; positive: number; regimes: boolean; numbers: { name: string; rows: number; mean: number; deviation: number }[] } | null;
}

export interface DataText {
  rows: number;
  shape: number[];
  balance: number[];
}

export interface FrameText {
  kind: string;
  federation: string;
  sender: string;
  agreement: string;
  round: number;
  encoding: string;
  content_bytes: number;
  envelope_bytes: number;
  content: string;
  base_model: string;
  plan: string;
  schema: string;
  weight: number;
  signer: string;
  measures: { name: string; value: number }[];
  tensors: { name: string; shape: number[] }[];
}

export type Command =
  | { type: 'offer'; asset: string; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'watch'; cursor: number; wait_ms: number }
  | { type: 'wait'; ms: number }
  | { type: 'negotiate'; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'fetch'; limit: number; size: number; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'conclude'; transfer: string; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'train'; round: number }
  | { type: 'keep'; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'deliver'; asset: string; round: number; content: string; size: number; bytes: Uint8Array<ArrayBuffer> }
  | { type: 'finish'; ok: boolean; rounds: number; code?: string; sentence?: string }
  | { type: 'notice'; kind: NoticeKind; round: number; code: string; sentence: string };

export type NoticeKind = 'agreed' | 'model-received' | 'trained' | 'delivered' | 'accepted' | 'refused' | 'abandoned' | 'retrying';

export interface Point {
  round: number;
  federated: number | null;
  alone: number | null;
  loss: number | null;
  federated_metrics?: (number | null)[]; // of a table: all of the task's
  alone_metrics?: (number | null)[];
}

export interface Crossing {
  round: number;
  outgoing: boolean;
  final: boolean; // the model of the last round
  sums?: boolean; // of the own rows, before any training
  agreement: string;
  content: string;
  size: number;
  clipped: number;
}

export interface ParticipantText {
  activity: string;
  stage: string;
  progress: number;
  loss: number;
  steps: number;
  examples: number;
  round: number;
  rounds: number;
  contributions: number;
  refusals: number;
  train_rows: number;
  test_rows: number;
  score_rows: number; // of these, for the score of each round
  model_agreement: string;
  update_agreement: string;
  points: Point[];
  crossings: Crossing[];
  final_alone?: number | null;
  final_alone_metrics?: (number | null)[];
  final?: { accuracy: number | null; metrics?: (number | null)[]; examples: number; correct: number; confusion: number[] };
}

export interface Place {
  pointer: number;
  size: number;
}

type Input = Uint8Array | string;
type Argument = number | Input | Float32Array;

// What the core offers its host: its functions with a _ before their names, and its memory, whose views die when it grows.
export interface Module {
  readonly HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(size: number): number;
  _free(pointer: number): void;
  [name: `_ent_${string}`]: ((...args: number[]) => number) | undefined;
}

// What it asks of its host.
const host = {
  env: { emscripten_notify_memory_growth: () => undefined },
  wasi_snapshot_preview1: { proc_exit: () => { throw new WebAssembly.RuntimeError('exit'); } },
};

export const loadCore = async (wasm: Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<Core> => new Core(await loadModule(wasm));

export async function loadModule(wasm: Uint8Array<ArrayBuffer> | ArrayBuffer): Promise<Module> {
  const { instance } = await WebAssembly.instantiate(wasm, host);
  const { memory, _initialize, ...functions } = instance.exports as Record<string, never> & { memory: WebAssembly.Memory; _initialize: () => void };
  _initialize();
  const named = Object.fromEntries(Object.entries(functions).map(([name, call]) => [`_${name}`, call]));
  return Object.defineProperty(named, 'HEAPU8', { get: () => new Uint8Array(memory.buffer) }) as unknown as Module;
}

export class Core {
  readonly #module: Module;
  #stopped: CoreError | undefined;

  constructor(module: Module) {
    this.#module = module;
  }

  get version(): { version: string; numerics: string; simd: boolean } {
    return this.json('_ent_version');
  }

  publicKey(seed: Uint8Array): string {
    return this.text('_ent_public_key', seed);
  }

  signJoin(seed: Uint8Array, code: string): string {
    return this.text('_ent_sign_join', seed, code);
  }

  signRotation(seed: Uint8Array, text: string): string {
    return this.text('_ent_sign_rotation', seed, text);
  }

  digest(bytes: Uint8Array): string {
    return this.text('_ent_digest', bytes);
  }

  transferId(transfer: Uint8Array): string {
    return this.text('_ent_transfer_id', transfer);
  }

  openPlan(envelope: Uint8Array, coordinatorKey = ''): Plan {
    return new Plan(this, this.handle('_ent_plan_open', envelope, coordinatorKey));
  }

  // The digits plan, signed with this seed: for tests.
  sealPlan(seed: Uint8Array, { cnn = false, batch = 32, slices = 1 } = {}): Uint8Array<ArrayBuffer> {
    return this.bytes('_ent_plan_seal', seed, cnn ? 1 : 0, batch, slices);
  }

  readData(images: Uint8Array, labels: Uint8Array): Data {
    return new Data(this, this.handle('_ent_data_read', images, labels));
  }

  lookAtTable(plan: Plan, beginning: Uint8Array): TableLook {
    return this.json('_ent_table_look', plan.handle, beginning);
  }

  // The file a piece at a time, however large it is.
  async readTable(plan: Plan, file: Blob, mapping: TableMapping): Promise<{ table: Table; text: TableText }> {
    const table = new Table(this, this.handle('_ent_table_begin', plan.handle, mappingText(mapping)));
    try {
      for (let at = 0; at < file.size; at += piece_bytes) {
        this.text('_ent_table_feed', table.handle, new Uint8Array(await file.slice(at, at + piece_bytes).arrayBuffer()));
      }
      return { table, text: this.json<TableText>('_ent_table_finish', table.handle) };
    } catch (error) {
      table.close();
      throw error;
    }
  }

  createParticipant(options: {
    plan: Plan;
    id: string;
    seed: Uint8Array;
    acceptedBy: string;
    train: Data | Table;
    test?: Data | undefined;
    state?: Uint8Array | undefined; // what the last 'keep' carried
  }): Participant {
    const { plan, id, seed, acceptedBy, train, test, state = new Uint8Array() } = options;
    return new Participant(
      this,
      this.handle('_ent_participant_create', plan.handle, id, seed, acceptedBy, train.handle, test?.handle ?? 0, state),
    );
  }

  // --- the boundary: see wasm/src/boundary.hpp -----------------------------------------------------------------
  release(handle: number): void {
    if (!this.#stopped) this.#module._ent_release!(handle);
  }

  handle(name: string, ...args: Argument[]): number {
    return this.#call(name, args, (pointer) => pointer);
  }

  bytes(name: string, ...args: Argument[]): Uint8Array<ArrayBuffer> {
    return this.#call(name, args, (pointer, size) => this.copy(pointer, size));
  }

  text(name: string, ...args: Argument[]): string {
    return this.#call(name, args, (pointer, size) => this.#decode(pointer, size));
  }

  json<T>(name: string, ...args: Argument[]): T {
    return JSON.parse(this.text(name, ...args)) as T;
  }

  copy(pointer: number, size: number): Uint8Array<ArrayBuffer> {
    return this.#module.HEAPU8.slice(pointer, pointer + size);
  }

  // Memory that a function names, and that stays where it is until the core is called again.
  place(name: string, ...args: Argument[]): Place {
    return this.#call(name, args, (pointer, size) => ({ pointer, size }));
  }

  // Into `buffer`, if it has the size.
  read({ pointer, size }: Place, buffer?: ArrayBuffer): ArrayBuffer {
    if (buffer?.byteLength !== size) return this.copy(pointer, size).buffer;
    new Uint8Array(buffer).set(this.#module.HEAPU8.subarray(pointer, pointer + size));
    return buffer;
  }

  write({ pointer, size }: Place, bytes: ArrayBuffer): void {
    if (bytes.byteLength !== size) throw new Error(`expected ${size} bytes, found ${bytes.byteLength}`);
    this.#module.HEAPU8.set(new Uint8Array(bytes), pointer);
  }

  #decode(pointer: number, size: number): string {
    return decoder.decode(this.copy(pointer, size));
  }

  // Bytes and text become two arguments, address and length, in memory that lives for the call.
  #call<T>(name: string, args: Argument[], read: (pointer: number, size: number) => T): T {
    if (this.#stopped) throw this.#stopped;
    const owned: number[] = [];
    const flat: number[] = [];
    try {
      for (const arg of args) {
        if (typeof arg === 'number') {
          flat.push(arg);
          continue;
        }
        const bytes = typeof arg === 'string' ? encoder.encode(arg) : asBytes(arg);
        const pointer = this.#module._malloc(Math.max(bytes.length, 1)) >>> 0;
        if (pointer === 0) throw new CoreError({ code: 'resource_exhausted', reason: 'memory.exhausted', message: 'The browser gives no more memory.' });
        owned.push(pointer);
        this.#module.HEAPU8.set(bytes, pointer);
        flat.push(pointer, arg instanceof Float32Array ? arg.length : bytes.length);
      }
      const call = this.#module[name as `_ent_${string}`];
      if (!call) throw new Error(`the core has no function ${name}`);
      const answer = call(...flat) >>> 0;
      const words = new Uint32Array(this.#module.HEAPU8.buffer, answer, 3);
      const [status, pointer, size] = [words[0]!, words[1]!, words[2]!];
      if (status !== 0) throw new CoreError(JSON.parse(this.#decode(pointer, size)));
      return read(pointer, size);
    } catch (error) {
      if (!(error instanceof WebAssembly.RuntimeError)) throw error;
      // It stopped in the middle of something, and nothing in it can be relied on.
      this.#stopped = new CoreError({ code: 'resource_exhausted', reason: 'core.stopped', message: `The computing core has stopped (${error.message}), most likely because the browser gives no more memory. Close other pages and load this one again.` });
      throw this.#stopped;
    } finally {
      if (!this.#stopped) for (const pointer of owned) this.#module._free(pointer);
    }
  }
}

const mappingText = ({ dates, decimal, columns }: TableMapping): string =>
  [[dates ?? '', decimal ?? ''], ...columns.map((c) => [c.column, c.from, c.unit ?? ''])].map((fields) => fields.join('\x1f')).join('\x1e');

export const piece_bytes = 1 << 20;
export const looked_bytes = 1 << 16; // of a table, to guess how it is written
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function asBytes(value: Uint8Array | Float32Array): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

export function asFloats(bytes: Uint8Array<ArrayBuffer>): number[] {
  return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)];
}

export abstract class Held {
  readonly handle: number;
  protected readonly core: Core;
  constructor(core: Core, handle: number) {
    this.core = core;
    this.handle = handle;
  }
  close(): void {
    this.core.release(this.handle);
  }
}

export class Plan extends Held {
  describe(participant: string, now: number): PlanText {
    return this.core.json('_ent_plan_describe', this.handle, participant, now);
  }

  // The header of an envelope of this plan. Only its form is checked.
  describeFrame(envelope: Uint8Array): FrameText {
    return this.core.json('_ent_frame_describe', this.handle, envelope);
  }
}

export interface Preview {
  label: number;
  pixels: Uint8Array<ArrayBuffer>; // 28 x 28
}

export class Data extends Held {
  describe(): DataText {
    return this.core.json('_ent_data_describe', this.handle);
  }

  preview(count: number): Preview[] {
    const size = this.describe().shape.reduce((product, side) => product * side, 1);
    const bytes = this.core.bytes('_ent_data_preview', this.handle, count);
    const out: Preview[] = [];
    for (let at = 0; at + size < bytes.length; at += 1 + size) {
      out.push({ label: bytes[at]!, pixels: bytes.slice(at + 1, at + 1 + size) });
    }
    return out;
  }
}

export class Table extends Held {}

type RawCommand = Record<string, unknown> & { type: string; blob?: [number, number] };

export class Participant extends Held {
  started(now: number): Command[] {
    return this.#events('_ent_participant_started', now);
  }
  offered(): Command[] {
    return this.#events('_ent_participant_offered');
  }
  watched(view: Uint8Array, now: number): Command[] {
    return this.#events('_ent_participant_watched', view, now);
  }
  agreed(agreement: Uint8Array): Command[] {
    return this.#events('_ent_participant_agreed', agreement);
  }
  fetched(transfer: Uint8Array, envelope: Uint8Array): Command[] {
    return this.#events('_ent_participant_fetched', transfer, envelope);
  }
  kept(): Command[] {
    return this.#events('_ent_participant_kept');
  }
  delivered(): Command[] {
    return this.#events('_ent_participant_delivered');
  }
  waited(now: number): Command[] {
    return this.#events('_ent_participant_waited', now);
  }
  // status: of HTTP, 0 when there was no answer.
  failed(status: number, reason: string, message: string, now: number): Command[] {
    return this.#events('_ent_participant_failed', status, reason, message, now);
  }

  // One slice of training or scoring. `trainMs`: wall time spent so far on the round's training.
  work(maxBatches: number, trainMs: number): { more: boolean; commands: Command[]; view: ParticipantText } {
    const raw = this.core.json<{ more: boolean; commands: RawCommand[]; view: ParticipantText }>(
      '_ent_participant_work', this.handle, maxBatches, trainMs,
    );
    return { more: raw.more, commands: this.#copied(raw.commands), view: raw.view };
  }

  view(): ParticipantText {
    return this.core.json('_ent_participant_view', this.handle);
  }

  predict(pixels: Float32Array, which: 'federated' | 'alone'): number[] {
    return asFloats(this.core.bytes('_ent_participant_predict', this.handle, which === 'alone' ? 1 : 0, pixels));
  }

  safetensors(): Uint8Array<ArrayBuffer> {
    return this.core.bytes('_ent_participant_safetensors', this.handle);
  }

  #events(name: string, ...args: Argument[]): Command[] {
    return this.#copied(this.core.json<RawCommand[]>(name, this.handle, ...args));
  }

  // Binary parts live in the core only until its next call.
  #copied(commands: RawCommand[]): Command[] {
    return commands.map(({ blob, ...rest }) => (blob ? { ...rest, bytes: this.core.copy(...blob) } : rest) as Command);
  }
}
