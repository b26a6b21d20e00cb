// Drives one participant: carries out the commands of its state machine over the hub, and gives training its slices.
import { CoreError, type Command, type Core, type NoticeKind, type Participant, type ParticipantText } from '../core/core.ts';
import type { LogWatch } from '../core/log.ts';
import { breathe, Fault } from '../core/rpc.ts';
import type { SlicePool } from '../core/slices.ts';
import { binary, bytesOf, call, consistency, json, post, type StatusText } from './api.ts';

export interface DriverHost {
  changed(): void; // something that people see
  notice(kind: NoticeKind, round: number, code: string, sentence: string): void;
  keep(state: Uint8Array<ArrayBuffer>): Promise<void>; // durably
  watchLog(): Promise<LogWatch>;
  keepLog(note: string): Promise<void>; // the checkpoint that was seen last
  cosign: ((log: LogWatch) => Promise<string>) | undefined; // where it is wanted as a witness
  sent(envelope: Uint8Array<ArrayBuffer>): void;
  delivered(): Promise<void>; // what left is noted, durably
  loss(step: number, loss: number): void;
}

// Workers that compute some of the slices of each batch.
export interface Sharing {
  pool: SlicePool;
  slices: number;
}

export type Connection = 'ok' | 'lost';
const slice_ms = 40;
const heartbeat_ms = 4000;
const grace_ms = 15_000;

export class Driver {
  view: ParticipantText;
  status: StatusText | undefined;
  connection: Connection = 'ok';
  retryAt = 0;
  examplesPerSecond = 0;
  secondsLeft = 0;
  finished: { ok: boolean; code: string; sentence: string } | undefined;
  readonly #core: Core;
  readonly #participant: Participant;
  readonly #token: string;
  readonly #host: DriverHost;
  #log: LogWatch | undefined; // fetched with the first poll
  #cosigned = ''; // the checkpoint that was cosigned last
  #looking = Promise.resolve(false); // a look at the log that is under way: was there a fork?
  readonly #sharing: Sharing | undefined;
  #stopping = new AbortController();
  #batches = 2;
  #trainMs = 0;
  #wake: (() => void) | undefined;

  constructor(core: Core, participant: Participant, token: string, host: DriverHost, sharing?: Sharing) {
    this.#core = core;
    this.#participant = participant;
    this.#token = token;
    this.#host = host;
    this.#sharing = sharing;
    this.view = participant.view();
  }

  stop(): void {
    this.#stopping.abort();
    this.#wake?.();
  }

  // The network is back: do not wait any longer.
  wake(): void {
    this.#wake?.();
  }

  async run(): Promise<void> {
    const beat = setInterval(() => void this.#heartbeat(), heartbeat_ms);
    void this.#heartbeat();
    try {
      let commands = this.#participant.started(Date.now());
      while (!this.#stopping.signal.aborted && commands.length > 0) {
        const next: Command[] = [];
        for (const command of commands) {
          if (this.#stopping.signal.aborted) return;
          next.push(...(await this.#execute(command)));
          this.#refresh();
        }
        commands = next;
      }
      // The final model is scored, and the own one is brought up to the same number of rounds.
      while (!this.#stopping.signal.aborted && this.#work().more) await breathe();
    } finally {
      clearInterval(beat);
      this.#refresh();
    }
  }

  #refresh(): void {
    this.view = this.#participant.view();
    this.#host.changed();
  }

  // Carries out one command; the answer of the machine are the next ones.
  async #execute(command: Command): Promise<Command[]> {
    const p = this.#participant;
    try {
      switch (command.type) {
        case 'offer':
          await this.#send('PUT', `hub/assets/${encodeURIComponent(command.asset)}`, command.bytes);
          return this.#reached(p.offered());
        case 'watch': {
          const view = await this.#meanwhile(this.#watch(command.cursor, command.wait_ms));
          // Not waited for here: the first one fetches what it takes, and a page may train meanwhile. Nothing is sent before it.
          if (await this.#looking) return [];
          this.#looking = this.#forked();
          return this.#reached(p.watched(view, Date.now()));
        }
        case 'negotiate':
          return this.#reached(p.agreed(await bytesOf(await this.#send('POST', 'hub/agreements', command.bytes))));
        case 'fetch': {
          const transfer = await bytesOf(await this.#send('POST', 'hub/transfers', command.bytes));
          const id = this.#core.transferId(transfer);
          const response = await call(`hub/transfers/${encodeURIComponent(id)}/content`, { signal: this.#stopping.signal }, this.#token);
          const envelope = await bytesOf(response);
          if (envelope.length > command.limit) throw new Fault('The model is larger than the plan allows.', 'transfer.too-large', 413);
          return this.#reached(p.fetched(transfer, envelope));
        }
        case 'conclude':
          await this.#send('POST', `hub/transfers/${encodeURIComponent(command.transfer)}/outcome`, command.bytes).catch(ignore);
          return [];
        case 'train':
          return this.#train();
        case 'keep':
          await this.#host.keep(command.bytes);
          return p.kept();
        case 'deliver': {
          if (await this.#looking) return [];
          this.#host.sent(command.bytes);
          await this.#send('PUT', `hub/assets/${encodeURIComponent(command.asset)}/content?round=${command.round}&content=${command.content}`, command.bytes);
          const next = this.#reached(p.delivered());
          this.#refresh();
          await this.#host.delivered();
          return next;
        }
        case 'wait':
          this.connection = 'lost';
          this.retryAt = Date.now() + command.ms;
          this.#refresh();
          await this.#meanwhile(this.#sleep(command.ms));
          return p.waited(Date.now());
        case 'finish':
          this.finished = { ok: command.ok, code: command.code ?? '', sentence: command.sentence ?? '' };
          return [];
        case 'notice':
          this.#host.notice(command.kind, command.round, command.code, command.sentence);
          return [];
      }
    } catch (error) {
      if (this.#stopping.signal.aborted) return [];
      if (error instanceof CoreError) return p.failed(400, error.reason, error.message, Date.now());
      const fault = error as Fault;
      return p.failed(fault.status ?? 0, fault.reason ?? 'connector.unreachable', fault.message, Date.now());
    }
  }

  #reached(commands: Command[]): Command[] {
    this.connection = 'ok';
    return commands;
  }

  #send(method: string, path: string, body: Uint8Array<ArrayBuffer>): Promise<Response> {
    return binary(method, path, body, this.#token, this.#stopping.signal);
  }

  async #watch(cursor: number, waitMs: number): Promise<Uint8Array<ArrayBuffer>> {
    // A machine that slept can wait in vain on a connection that is no more.
    const signal = AbortSignal.any?.([this.#stopping.signal, AbortSignal.timeout(waitMs + grace_ms)]) ?? this.#stopping.signal;
    return bytesOf(await call(`hub/view?cursor=${cursor}&wait_ms=${waitMs}`, { signal }, this.#token));
  }

  // Does the coordinator's log go on where this page saw it end? When it cannot be asked now, the next poll asks again.
  async #forked(): Promise<boolean> {
    try {
      this.#log ??= await this.#host.watchLog();
      const before = this.#log.last;
      const { from, to } = this.#log.see(await (await call('log/checkpoint', { signal: this.#stopping.signal }, this.#token)).text());
      if (from !== undefined && to !== undefined) this.#log.prove(await consistency(from, to, this.#token));
      if (this.#log.last !== before) await this.#host.keepLog(this.#log.last);
      if (this.#host.cosign && this.#log.last !== this.#cosigned) {
        // When another checkpoint has taken its place, the next poll does it.
        await call('log/cosignatures', { method: 'POST', body: await this.#host.cosign(this.#log) }, this.#token);
        this.#cosigned = this.#log.last;
      }
    } catch (error) {
      if (!(error instanceof CoreError) || error.reason !== 'log.fork') return false;
      this.finished = { ok: false, code: error.reason, sentence: error.message };
      return true;
    }
    return false;
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  // Whatever can be computed while something is on its way: the model of the own data alone.
  async #meanwhile<T>(pending: Promise<T>): Promise<T> {
    let settled = false;
    const watched = pending.finally(() => (settled = true));
    watched.catch(ignore);
    await Promise.race([watched.then(ignore, ignore), breathe()]);
    while (!settled && !this.#stopping.signal.aborted && this.#work().more) await breathe();
    return watched;
  }

  async #train(): Promise<Command[]> {
    const began = performance.now();
    const examples = this.view.examples;
    this.#trainMs = 0;
    for (;;) {
      if (this.#stopping.signal.aborted) return [];
      const shared = await this.#share();
      if (this.#stopping.signal.aborted) return [];
      const { commands } = this.#work(shared);
      if (commands.length > 0) return commands;
      if (this.view.stage === 'training') {
        const elapsed = (performance.now() - began) / 1000;
        this.examplesPerSecond = (this.view.examples - examples) / Math.max(elapsed, 0.01);
        this.secondsLeft = this.view.progress > 0 ? (elapsed * (1 - this.view.progress)) / this.view.progress : 0;
        if (this.view.loss > 0) this.#host.loss(this.view.steps, this.view.loss);
      }
      this.#host.changed();
      await breathe();
    }
  }

  // Whether the next step's slices were shared out.
  async #share(): Promise<boolean> {
    if (!this.#sharing || this.view.stage !== 'training') return false;
    const began = performance.now();
    await this.#sharing.pool.share(this.#core, this.#participant.handle, this.#sharing.slices);
    this.#trainMs += performance.now() - began;
    return true;
  }

  #work(shared = false) {
    const training = this.view.stage === 'training';
    const began = performance.now();
    const result = this.#participant.work(shared ? 1 : this.#batches, this.#trainMs);
    const took = performance.now() - began;
    if (training) this.#trainMs += took;
    if (!shared) this.#batches = Math.max(1, Math.min(64, Math.round((this.#batches * slice_ms) / Math.max(took, 1))));
    this.view = result.view;
    return result;
  }

  async #heartbeat(): Promise<void> {
    if (this.finished) return;
    const { activity, progress, loss } = this.view;
    try {
      await post('hub/heartbeat', { activity, progress, examples_per_second: Math.round(this.examplesPerSecond), loss }, this.#token);
      this.status = await json<StatusText>('status', this.#token);
      this.#host.changed();
    } catch {
      // A sign of life that got lost. The long poll notices what matters.
    }
  }
}

const ignore = () => undefined;
