// The partner in the worker: invitation, agreement, data, taking part. The page shows what it says.
import { CoreError, loadCore, looked_bytes, type Core, type Data, type DataText, type FrameText, type NoticeKind, type Participant, type ParticipantText, type Plan, type PlanText, type Point, type Preview, type Table, type TableLook, type TableMapping, type TableText } from '../core/core.ts';
import { Fault } from '../core/rpc.ts';
import type { Scores, ScoreText } from '../core/score.ts';
import type { SlicePool } from '../core/slices.ts';
import { cores, lanes, loadThreads, type ThreadsFiles } from '../core/threads.ts';
import { bytesOf, call, evidenceOf, json, post, type FederationText, type Invitation, type StatusText } from './api.ts';
import type { Checked } from './check.ts';
import { Driver, type Connection } from './driver.ts';
import { openSeed, sealSeed, store, type FinalScores, type Session, type StoredCrossing, type StoredData, type StoredDigits, type StoredTable } from './store.ts';

export interface Welcome {
  invitation: Invitation;
  federation: FederationText;
  plan: PlanText;
}

export interface DataCard extends DataText {
  name: string;
  test_rows: number;
  preview: Preview[];
}

// A table that was dropped: its beginning, how it is mapped, and what came of it.
export interface TableCard {
  name: string;
  look: TableLook;
  mapping: TableMapping;
  text: TableText | null; // null: it could not be read so
  trouble: { code: string; sentence: string } | null;
}

export interface Notice {
  at: number;
  kind: NoticeKind;
  round: number;
  code: string;
  sentence: string;
}

export type Phase = 'none' | 'joined' | 'running' | 'paused' | 'finished' | 'left' | 'failed' | 'elsewhere';

// What became of the updates of somebody who has left.
export interface Withdrawn {
  rounds: number[]; // whose model one of them is in
  deleted: number[]; // of which none is stored any more
  counting: number; // the open round that still counts one; 0: none
}

export interface PartnerNews {
  phase: Phase;
  withdrawn: Withdrawn | null;
  participant: string;
  name: string;
  acceptedBy: string;
  view: ParticipantText | null;
  status: StatusText | null;
  connection: Connection;
  retryAt: number;
  examplesPerSecond: number;
  secondsLeft: number;
  final: FinalScores | null;
  points: Point[];
  crossings: StoredCrossing[];
  losses: [number, number][];
  notices: Notice[];
  refused: Notice | null;
  failure: { code: string; sentence: string } | null;
  data: DataCard | null;
  table: TableCard | null;
  plan: PlanText | null;
  firstStepMs: number | null;
  threads: number; // that train
  threadKind: 'one' | 'shared' | 'workers'; // workers: with memory of their own, for the slices of the plan's batches
}

// Where the core lies: alone, for Workers that share a training, and with threads.
export interface CoreFiles {
  wasm: string;
  slices: string;
  table: string;
  threads: ThreadsFiles;
}

const news_ms = 120;
const save_ms = 3000;

export function createPartner(send: (news: PartnerNews) => void) {
  let core: Core;
  let threads = 1; // of the core
  let files: CoreFiles | undefined;
  let slicesWasm: Promise<ArrayBuffer> | undefined;
  let forSlices: Core | undefined; // the core, once it is the one that Workers help
  let pool: SlicePool | undefined;
  let welcome: { invitation: Invitation; envelope: ArrayBuffer } | undefined;
  let plan: Plan | undefined;
  let planText: PlanText | null = null;
  let session: Session | undefined;
  let train: Data | undefined;
  let test: Data | undefined;
  let stored: StoredData | undefined;
  let table: Table | undefined;
  let tableCard: TableCard | null = null;
  let tableFile: Blob | undefined; // kept while it is looked at, even where it cannot be read so
  let card: DataCard | null = null;
  let participant: Participant | undefined;
  let scores: Scores | undefined; // of the file that was scored last
  let driver: Driver | undefined;
  let phase: Phase = 'none';
  let failure: { code: string; sentence: string } | null = null;
  let notices: Notice[] = [];
  let refused: Notice | null = null;
  let lastUpdate: Uint8Array<ArrayBuffer> | undefined;
  let firstStep: number | null = null;
  let lastView: ParticipantText | null = null; // still shown while nothing runs
  let lastStatus: StatusText | null = null;
  let withdrawn: Withdrawn | null = null;
  let told = 0;
  let saved = 0;
  let seen = 0; // crossings of this participant's life that are in the history
  let later: ReturnType<typeof setTimeout> | undefined;

  function tell(): void {
    clearTimeout(later);
    later = undefined;
    told = performance.now();
    remember();
    send({
      phase, withdrawn, failure, notices: notices.slice(-20), refused, data: card, table: tableCard, plan: planText,
      participant: session?.participant ?? '', name: session?.name ?? '', acceptedBy: session?.acceptedBy ?? '',
      view: (lastView = driver?.view ?? lastView), status: (lastStatus = driver?.status ?? lastStatus), connection: driver?.connection ?? 'ok',
      retryAt: driver?.retryAt ?? 0, examplesPerSecond: driver?.examplesPerSecond ?? 0, secondsLeft: driver?.secondsLeft ?? 0,
      final: session?.history.final ?? null, points: session?.history.points ?? [], crossings: session?.history.crossings ?? [], losses: session?.history.losses ?? [],
      firstStepMs: firstStep, threads: pool?.size ?? threads, threadKind: pool ? 'workers' : threads > 1 ? 'shared' : 'one',
    });
  }

  function tellSoon(): void {
    const due = news_ms - (performance.now() - told);
    if (due <= 0) tell();
    else later ??= setTimeout(tell, due);
  }

  // What the state machine has seen in this life joins what was seen before the reload.
  function remember(): void {
    if (!session || !driver) return;
    const { points, crossings, final, final_alone, final_alone_metrics } = driver.view;
    const before = session.history.final;
    if (final) {
      session.history.final = {
        together: final.accuracy, alone: final_alone ?? before?.alone ?? null,
        ...(final.metrics && { metrics: { together: final.metrics, alone: final_alone_metrics ?? before?.metrics?.alone ?? [] } }),
      };
    }
    for (const point of points) {
      const old = session.history.points.find((p) => p.round === point.round);
      if (!old) session.history.points.push({ ...point });
      else for (const [key, value] of Object.entries(point)) if (value !== null) Object.assign(old, { [key]: value });
    }
    session.history.points.sort((a, b) => a.round - b.round);
    for (const crossing of crossings.slice(seen)) session.history.crossings.push({ ...crossing, at: Date.now() });
    if (seen !== crossings.length || performance.now() - saved > save_ms) {
      seen = crossings.length;
      saved = performance.now();
      void store.saveSession(session);
    }
  }

  async function openPlan(envelope: ArrayBuffer, key: string, id: string): Promise<void> {
    plan?.close();
    plan = undefined;
    try {
      plan = core.openPlan(new Uint8Array(envelope), key);
    } catch (error) {
      // What reads tables is fetched by those who bring one.
      if (!(error instanceof CoreError) || error.reason !== 'plan.no-tables') throw error;
      core = await loadCore(await fetchCore(files!.table));
      threads = 1;
      plan = core.openPlan(new Uint8Array(envelope), key);
    }
    planText = plan.describe(id, Date.now());
  }

  async function readTable({ file, mapping }: StoredTable, name: string): Promise<void> {
    const look = core.lookAtTable(plan!, new Uint8Array(await file.slice(0, looked_bytes).arrayBuffer()));
    table?.close();
    table = undefined;
    stored = undefined;
    tableFile = file;
    tableCard = { name, look, mapping, text: null, trouble: null };
    try {
      const read = await core.readTable(plan!, file, mapping);
      table = read.table;
      tableCard.text = read.text;
      stored = { file, mapping };
    } catch (error) {
      const { reason, message } = error as Fault;
      tableCard.trouble = { code: reason ?? 'internal.exception', sentence: message };
    }
  }

  function readData(data: StoredDigits, name: string): void {
    const fresh = core.readData(new Uint8Array(data.images), new Uint8Array(data.labels));
    const freshTest = data.testImages && data.testLabels ? core.readData(new Uint8Array(data.testImages), new Uint8Array(data.testLabels)) : undefined;
    train?.close();
    test?.close();
    train = fresh;
    test = freshTest;
    stored = data;
    const text = train.describe();
    card = { ...text, name, test_rows: test ? test.describe().rows : Math.floor(text.rows / 10), preview: train.preview(10) };
  }

  async function start(): Promise<void> {
    const rows = table ?? train;
    if (!session || !plan || !rows || driver) return;
    await takeNextKey();
    session.paused = false;
    phase = 'running';
    failure = null;
    seen = 0;
    const before = session.history.losses.at(-1)?.[0] ?? 0; // steps of an earlier life
    participant?.close();
    participant = undefined;
    await openPool();
    participant = core.createParticipant({
      plan, id: session.participant, seed: await openSeed(session.sealed), acceptedBy: session.acceptedBy, train: rows, test, state: await store.state(),
    });
    const mine = new Driver(core, participant, session.token, {
      changed: tellSoon,
      notice(kind, round, code, sentence) {
        const notice = { at: Date.now(), kind, round, code, sentence };
        notices.push(notice);
        if (kind === 'refused' || kind === 'abandoned') refused = notice;
        if (kind === 'accepted') refused = null;
        tellSoon();
      },
      keep: (state) => store.saveState(state),
      watchLog: async () => (await import('./check.ts')).watchLog(planText!.federation, session!.coordinatorKey, (await store.log()) ?? ''),
      keepLog: (note) => store.saveLog(note),
      cosign: planText!.witnesses > 0 ? async (log) => log.cosign(session!.participant, await openSeed(session!.sealed), Math.floor(Date.now() / 1000)) : undefined,
      sent(envelope) {
        lastUpdate = envelope;
        void store.saveUpdate(envelope);
      },
      async delivered() {
        remember();
        if (session) await store.saveSession(session);
      },
      loss(step, loss) {
        firstStep ??= performance.timeOrigin + performance.now();
        const losses = session!.history.losses;
        losses.push([before + step, loss]);
        if (losses.length > 400) session!.history.losses = losses.filter((_, i) => i % 2 === 0);
      },
    }, pool && { pool, slices: planText!.slices });
    driver = mine;
    tell();
    void mine.run().then(
      () => ended(mine),
      (error: Error & { reason?: string }) => {
        failure = { code: error.reason ?? 'internal.exception', sentence: error.message };
        phase = 'failed';
        tell();
      },
    );
  }

  // The new key lies in the browser before anybody is asked, so that a page which is closed meanwhile ends what it began.
  async function takeNextKey(): Promise<void> {
    if (!session?.next) return;
    const [former, fresh] = [await openSeed(session.sealed), await openSeed(session.next)];
    const text = [planText!.federation, session.participant, core.publicKey(former), core.publicKey(fresh)].join(':');
    await post('key', { public_key: core.publicKey(fresh), signature: core.signRotation(fresh, text), former_signature: core.signRotation(former, text) }, session.token);
    session.sealed = session.next;
    delete session.next;
    await store.saveSession(session);
  }

  async function ended(mine: Driver): Promise<void> {
    if (driver !== mine || !mine.finished) return;
    closePool();
    if (mine.finished.ok) {
      phase = 'finished';
    } else {
      phase = 'failed';
      failure = { code: mine.finished.code, sentence: mine.finished.sentence };
    }
    remember();
    if (session && mine.finished.ok) {
      session.state = 'finished';
      await store.saveSession(session);
    }
    tell();
  }

  function halt(): void {
    remember();
    driver?.stop();
    driver = undefined;
    closePool();
  }

  // One tab at a time: two with the same key would speak for one partner.
  async function alone(): Promise<void> {
    if (!navigator.locks) return;
    const hold = () => new Promise<never>(() => undefined);
    const free = await new Promise<boolean>((resolve) => {
      void navigator.locks.request('entente-partner', { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        return lock ? hold() : undefined;
      });
    });
    if (free) return;
    phase = 'elsewhere';
    tell();
    await new Promise<void>((resolve) => {
      void navigator.locks.request('entente-partner', () => {
        resolve();
        return hold();
      });
    });
  }

  // While nothing runs: what the coordinator has counted since this page last heard of it.
  async function look(): Promise<void> {
    const status = await json<StatusText>('status', session!.token).catch(() => null);
    if (phase !== 'paused' || !status) return;
    lastStatus = status;
    tell();
  }

  // With threads where the page may have them; whatever stands against it, without.
  async function loadBest(found: CoreFiles): Promise<void> {
    files = found;
    const width = lanes();
    const loaded = width > 1 ? await loadThreads(files.threads, width).catch(() => undefined) : undefined;
    threads = loaded ? width : 1;
    if (loaded) {
      core = loaded;
      return;
    }
    core = await loadCore(await fetchCore(files.wasm));
  }

  async function fetchCore(address: string): Promise<ArrayBuffer> {
    const response = await fetch(address);
    if (!response.ok) throw new Fault(`The core could not be loaded (status ${response.status}).`, 'page.core', response.status);
    return response.arrayBuffer();
  }

  // Where there are no threads, but the plan's batches are cut into slices: Workers of this very script compute some.
  async function openPool(): Promise<void> {
    const helpers = threads === 1 && !table && files && planText && typeof Worker !== 'undefined' ? Math.min(planText.slices, cores()) - 1 : 0;
    if (helpers < 1) return;
    const code = await import('../core/slices.ts').catch(() => undefined);
    const wasm = code && (await (slicesWasm ??= fetchCore(files!.slices)).catch(() => undefined));
    if (!code || !wasm) {
      slicesWasm = undefined; // offline now: alone, then
      return;
    }
    forSlices ??= await loadCore(wasm);
    if (core !== forSlices) {
      core = forSlices;
      await openPlan(session!.plan, session!.coordinatorKey, session!.participant);
      readData(stored as StoredDigits, card!.name);
    }
    pool = new code.SlicePool(helpers, () => new Worker(self.location.href, { type: 'module', name: 'slices' }), {
      wasm, envelope: session!.plan, coordinatorKey: session!.coordinatorKey,
    });
  }

  function closePool(): void {
    pool?.close();
    pool = undefined;
  }

  const methods = {
    // Loads the core, and takes up again what an earlier page left. Answers at once whether there is a session.
    async load(found: CoreFiles, code: string): Promise<boolean> {
      const [, before] = await Promise.all([loadBest(found), store.session().catch(() => undefined)]);
      if (!before || before.state === 'left' || (code && before.code !== code)) return false;
      session = before;
      await openPlan(session.plan, session.coordinatorKey, session.participant);
      phase = 'joined';
      void (async () => {
        await alone();
        phase = session!.paused ? 'paused' : 'joined';
        const data = await store.data();
        if (data) {
          if ('file' in data) await readTable(data, session!.dataName);
          else readData(data, session!.dataName);
          if (!session!.paused) await start();
        }
        tell();
        if (phase === 'paused') void look();
      })();
      return true;
    },

    async lookup(code: string): Promise<Welcome> {
      const invitation = (await (await post('invitation', { code })).json()) as Invitation;
      const [federation, envelope] = await Promise.all([json<FederationText>('federation'), call('plan').then((r) => r.arrayBuffer())]);
      await openPlan(envelope, federation.coordinator_key, invitation.participant);
      welcome = { invitation, envelope };
      return { invitation, federation, plan: planText! };
    },

    // Somebody has signed in at the identity provider for a participant: that is the invitation.
    async vouched(token: string): Promise<Welcome> {
      const me = await json<{ participant: string; name: string; role: string }>('me', token);
      if (me.role !== 'partner') throw new Fault(`Expected the role partner, found ${me.role}.`, 'auth.role', 403);
      const [federation, envelope] = await Promise.all([json<FederationText>('federation'), call('plan').then((r) => r.arrayBuffer())]);
      await openPlan(envelope, federation.coordinator_key, me.participant);
      const invitation = { participant: me.participant, name: me.participant, federation: federation.id, expires_at: '' };
      welcome = { invitation, envelope };
      return { invitation, federation, plan: planText! };
    },

    // By code, or by the token of somebody who has signed in.
    async accept(code: string, acceptedBy: string, token = ''): Promise<void> {
      if (!welcome || !planText) throw new Fault('There is no invitation to accept.', 'join.unknown');
      const seed = crypto.getRandomValues(new Uint8Array(32));
      const signed = token ? `enrol:${welcome.invitation.participant}` : code;
      const body = { public_key: core.publicKey(seed), signature: core.signJoin(seed, signed), accepted_by: acceptedBy };
      const response = await (token ? post('enrolment', body, token) : post('join', { code, ...body }));
      const joined = (await response.json()) as { participant: string; token: string; coordinator_key: string };
      session = {
        code, acceptedBy, participant: joined.participant, name: welcome.invitation.name, token: joined.token,
        coordinatorKey: joined.coordinator_key, plan: welcome.envelope, sealed: await sealSeed(seed), state: 'joined',
        paused: false, dataName: '', history: { points: [], crossings: [], losses: [] },
      };
      await store.forget(); // of an earlier federation
      await store.saveSession(session);
      void navigator.storage?.persist?.();
      phase = 'joined';
      await alone();
      tell();
    },

    async files(files: File[]): Promise<DataCard> {
      return adopt(await Promise.all(files.map(async (file) => ({ name: file.name, bytes: await unzip(file) }))));
    },

    // A table, and which of its headers each of the task's columns takes where that is not guessed.
    async table(file: File): Promise<void> {
      await readTable({ file: (await isZipped(file)) ? new Blob([await unzip(file)]) : file, mapping: { columns: [] } }, file.name);
      tell();
    },

    async remap(mapping: TableMapping): Promise<void> {
      if (tableCard && tableFile) await readTable({ file: tableFile, mapping }, tableCard.name);
      tell();
    },

    async sample(): Promise<DataCard> {
      const names = ['train-images', 'train-labels', 'test-images', 'test-labels'];
      const parts = await Promise.all(names.map(async (name) => {
        const response = await call(`sample/${name}`).catch((error: Fault) => {
          if (name.startsWith('test') && error.status === 404) return null;
          throw error;
        });
        return response && { name, bytes: await unzip(new Blob([await bytesOf(response)])) };
      }));
      return adopt(parts.filter((part) => part !== null), 'the sample share');
    },

    async clearData(): Promise<void> {
      halt();
      train?.close();
      test?.close();
      train = test = undefined;
      table?.close();
      table = undefined;
      tableFile = undefined;
      card = tableCard = null;
      stored = undefined;
      await store.removeData();
      tell();
    },

    async begin(): Promise<void> {
      const name = card?.name ?? tableCard?.name;
      if (!session || !stored || name === undefined) return;
      session.dataName = name;
      await store.saveData(stored);
      await store.saveSession(session);
      await start();
    },

    async pause(): Promise<void> {
      halt();
      phase = 'paused';
      if (session) {
        session.paused = true;
        await store.saveSession(session);
        void look();
      }
      tell();
    },

    resume: start,

    // Another key in place of this one, which signs it and counts no more; then on, under new agreements.
    async renewKey(): Promise<void> {
      await methods.pause();
      if (!session) return;
      session.next ??= await sealSeed(crypto.getRandomValues(new Uint8Array(32)));
      await store.saveSession(session);
      await start();
    },
    online: () => driver?.wake(),

    async leave(): Promise<void> {
      // First nothing more is sent; where the coordinator cannot be told, this stays a pause.
      await methods.pause();
      withdrawn = (await (await post('leave', {}, session?.token ?? '')).json()) as Withdrawn;
      phase = 'left';
      if (session) session.state = 'left';
      await store.forget();
      tell();
    },

    forget: () => store.forget(),

    // To take away: the own records with their proofs.
    evidence: (): Promise<string> => evidenceOf('', session?.token ?? ''),

    predict(pixels: Float32Array, which: 'federated' | 'alone'): number[] {
      return participant ? participant.predict(pixels, which) : [];
    },

    safetensors(): Uint8Array<ArrayBuffer> {
      if (!participant) throw new Fault('There is no model yet.', 'model.none-yet');
      return participant.safetensors();
    },

    // A file under the final model. Nothing of it is kept but what scores() gives.
    async score(file: File): Promise<ScoreText> {
      if (!participant) throw new Fault('There is no model yet.', 'model.none-yet');
      const { Scores } = await import('../core/score.ts');
      scores?.close();
      scores = undefined;
      const scored = await Scores.of(core, participant, (await isZipped(file)) ? new Blob([await unzip(file)]) : file);
      scores = scored.scores;
      return scored.text;
    },

    scores(): Uint8Array<ArrayBuffer> {
      return scores?.csv() ?? new Uint8Array();
    },

    // The receipt of a round, against what this page knows.
    async check(round: number): Promise<Checked> {
      if (!session || !planText) throw new Fault('There is nothing to check yet.', 'check.none');
      const kept = (await store.log()) ?? '';
      const { checkRound } = await import('./check.ts');
      return checkRound(round, { federation: planText.federation, participant: session.participant, key: session.coordinatorKey, kept, crossings: session.history.crossings }, session.token);
    },

    // The last update as it was sent: what is in it, and the bytes.
    async lastUpdate(): Promise<{ frame: FrameText; bytes: Uint8Array<ArrayBuffer> } | null> {
      lastUpdate ??= await store.update();
      return plan && lastUpdate ? { frame: plan.describeFrame(lastUpdate), bytes: lastUpdate } : null;
    },
  };

  // Which file is which: IDX files say whether they hold images or labels; the name says whether they are for testing.
  function adopt(parts: { name: string; bytes: ArrayBuffer }[], name = ''): DataCard {
    const found: Partial<Record<'images' | 'labels' | 'testImages' | 'testLabels', ArrayBuffer>> = {};
    const names: string[] = [];
    for (const part of parts) {
      const magic = part.bytes.byteLength >= 4 ? new DataView(part.bytes).getUint32(0) : 0;
      if (magic !== 0x803 && magic !== 0x801) continue;
      const testing = /test|t10k/i.test(part.name);
      const kind = magic === 0x803 ? (testing ? 'testImages' : 'images') : testing ? 'testLabels' : 'labels';
      if (found[kind]) throw new Fault(`${part.name}: there is already another file of this kind. Drop one pair of images and labels.`, 'data.ambiguous');
      found[kind] = part.bytes;
      names.push(part.name);
    }
    if (!found.images && found.testImages) {
      found.images = found.testImages;
      delete found.testImages;
    }
    if (!found.labels && found.testLabels) {
      found.labels = found.testLabels;
      delete found.testLabels;
    }
    if (!found.images || !found.labels) {
      const have = found.images ? 'images but no labels' : found.labels ? 'labels but no images' : 'no IDX file';
      const where = parts.length > 3 ? `${parts.length} files` : parts.map((part) => part.name).join(', ') || 'an empty folder';
      throw new Fault(`Expected one IDX file with images and one with labels, found ${have} in ${where}.`, 'idx.missing');
    }
    readData(found as StoredDigits, name || names.join(', '));
    tell();
    return card!;
  }

  return methods;
}

export type PartnerMethods = ReturnType<typeof createPartner>;

async function isZipped(blob: Blob): Promise<boolean> {
  const head = new Uint8Array(await blob.slice(0, 2).arrayBuffer());
  return head[0] === 0x1f && head[1] === 0x8b;
}

async function unzip(blob: Blob): Promise<ArrayBuffer> {
  if (!(await isZipped(blob))) return blob.arrayBuffer();
  try {
    return await new Response(blob.stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer();
  } catch {
    throw new Fault('The file is a damaged gzip file: it could not be unpacked.', 'file.gzip');
  }
}
