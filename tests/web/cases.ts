// Tests of the wrapper that run, the same file, in Node, in Chromium, and there with threads: core.test.mjs,
// chromium.test.mjs, threads.test.mjs.
import { Core, CoreError, loadModule } from '../../web/src/core/core.ts';
import { Demo } from '../../web/src/core/demo.ts';
import { LogWatch } from '../../web/src/core/log.ts';
import { serveSlices, SlicePool, type HelperPort } from '../../web/src/core/slices.ts';
import { fork, nine, three, way } from './log_golden.ts';
export { loadCore } from '../../web/src/core/core.ts';
export { lanes, loadThreads } from '../../web/src/core/threads.ts';

export interface Case {
  name: string;
  run(): void | Promise<void>;
}

function equal(actual: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, found ${a}`);
}

function check(condition: boolean, what: string): void {
  if (!condition) throw new Error(what);
}

function refused(work: () => unknown, reason: string): void {
  try {
    work();
  } catch (error) {
    check(error instanceof CoreError, `expected a CoreError, found ${String(error)}`);
    equal((error as CoreError).reason, reason, 'reason');
    check((error as CoreError).message.length > 10, 'the message says something');
    return;
  }
  throw new Error(`expected ${reason}, found no error`);
}

// n pictures, the digit d a bright block that stands elsewhere for each digit: easy to learn.
export function idx(n: number): { images: Uint8Array; labels: Uint8Array } {
  const images = new Uint8Array(16 + 784 * n);
  const labels = new Uint8Array(8 + n);
  const head = (bytes: Uint8Array, words: number[]) => words.forEach((word, i) => new DataView(bytes.buffer).setUint32(4 * i, word));
  head(images, [0x803, n, 28, 28]);
  head(labels, [0x801, n]);
  for (let i = 0; i < n; i++) {
    const digit = (i * 7 + Math.floor(i / 10)) % 10;
    labels[8 + i] = digit;
    const [x, y] = [4 + 5 * (digit % 4), 4 + 7 * Math.floor(digit / 4)];
    for (let dy = 0; dy < 5; dy++) for (let dx = 0; dx < 4; dx++) images[16 + 784 * i + 28 * (y + dy) + x + dx] = 150 + ((i * 13 + dx * 5) % 100);
  }
  return { images, labels };
}

const seed = (n: number) => new Uint8Array(32).fill(n);

interface Setting {
  cnn?: boolean;
  batch?: number;
  slices?: number;
  steps: number;
}
// Other modules that compute the slices of every batch, each behind a port that `open` gives.
interface Helpers {
  wasm: ArrayBuffer;
  open(): HelperPort;
  helpers: number;
}

// Some steps of a plan's local training: the digest of the parameters, who computed them, and how long it took after the
// first step.
export async function run(core: Core, setting: Setting, others?: Helpers) {
  const { images, labels } = idx((setting.batch ?? 32) * (setting.steps + 1));
  const envelope = core.sealPlan(seed(1), setting);
  const [plan, data] = [core.openPlan(envelope), core.readData(images, labels)];
  const training = core.handle('_ent_training_create', plan.handle, data.handle);
  const pool = others && new SlicePool(others.helpers, others.open, { wasm: others.wasm, envelope: envelope.buffer, coordinatorKey: '' });
  let began = 0;
  let examples = 0;
  for (let step = 0; step <= setting.steps; step++) {
    if (step === 1) [began, examples] = [performance.now(), 0];
    await pool?.share(core, training, setting.slices ?? 1);
    const report = core.json<{ examples: number; finished: boolean }>('_ent_training_step', training, 1);
    examples += report.examples;
  }
  const ms = performance.now() - began;
  const [digest, lanes] = [core.text('_ent_training_digest', training), pool?.size ?? 1];
  pool?.close();
  for (const handle of [training, plan.handle, data.handle]) core.release(handle);
  return { digest, lanes, ms, examples };
}

export const digestOf = async (core: Core, setting: Setting, others?: Helpers) => (await run(core, setting, others)).digest;

// What must be the same wherever it is trained.
export const trainings: Setting[] = [{ batch: 16, steps: 5 }, { batch: 10, slices: 4, steps: 5 }, { cnn: true, batch: 8, slices: 2, steps: 5 }];

// A helper on the same thread.
function beside(): HelperPort {
  const { port1, port2 } = new MessageChannel();
  serveSlices(port2 as HelperPort);
  return port1 as HelperPort;
}

// `wasm`: of the module without threads, for helpers.
export function cases(core: Core, wasm: ArrayBuffer): Case[] {
  const coordinatorKey = core.publicKey(seed(1));
  const envelope = core.sealPlan(seed(1));
  const data = () => {
    const { images, labels } = idx(300);
    return core.readData(images, labels);
  };

  return [
    { name: 'the module says what it is', run: () => equal(core.version.numerics, 'portable', 'numerics') },
    {
      name: 'keys and digests are the standard ones',
      run() {
        // RFC 8032, 7.1, test 1.
        const rfc = Uint8Array.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'.match(/../g)!, (h) => parseInt(h, 16));
        equal(core.publicKey(rfc), 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a', 'public key');
        equal(core.digest(new TextEncoder().encode('abc')), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 'sha256');
        equal(core.signJoin(seed(2), 'CODE').length, 128, 'signature');
        refused(() => core.publicKey(new Uint8Array(31)), 'key.seed');
      },
    },
    {
      name: 'a plan is read, verified and put into words',
      run() {
        const plan = core.openPlan(envelope, coordinatorKey);
        const text = plan.describe('plant-a', Date.now());
        equal(text.parameters, 199210, 'parameters');
        equal(text.coordinator_key, coordinatorKey, 'key');
        equal(text.verdict.permitted, true, 'verdict');
        check(text.updates.terms.length >= 4 && text.updates.terms.every((t) => t.sentence.endsWith('.')), 'terms are sentences');
        check(JSON.stringify(text.model.odrl).includes('minCohortSize'), 'ODRL holds the cohort');
        equal(plan.describeFrame(envelope).kind, 'plan', 'kind');
        plan.close();
        refused(() => plan.describe('plant-a', 0), 'handle.unknown');
      },
    },
    {
      name: 'a plan of another signer, or damaged, is refused',
      run() {
        refused(() => core.openPlan(core.sealPlan(seed(9)), coordinatorKey), 'plan.foreign-signature');
        refused(() => core.openPlan(envelope.slice(0, 100), coordinatorKey), 'frame.truncated');
        const flipped = envelope.slice();
        flipped[flipped.length - 1]! ^= 1;
        refused(() => core.openPlan(flipped, coordinatorKey), 'frame.signature');
        refused(() => core.openPlan(new Uint8Array(), coordinatorKey), 'frame.truncated');
      },
    },
    {
      name: 'IDX files are read, described and previewed',
      run() {
        const read = data();
        const text = read.describe();
        equal(text.rows, 300, 'rows');
        equal(text.balance, Array(10).fill(30), 'balance');
        const preview = read.preview(10);
        equal(preview.length, 10, 'previews');
        check(preview[3]!.pixels.some((v) => v >= 150), 'pixels come back as bytes');
        read.close();
      },
    },
    {
      name: 'bad IDX files are refused with a reason',
      run() {
        const { images, labels } = idx(20);
        refused(() => core.readData(labels, images), 'idx.magic');
        refused(() => core.readData(images.slice(0, 500), labels), 'idx.truncated');
        refused(() => core.readData(images, idx(19).labels), 'idx.count-mismatch');
        refused(() => core.readData(idx(0).images, idx(0).labels), 'idx.empty');
        const wrong = labels.slice();
        wrong[10] = 12;
        refused(() => core.readData(images, wrong), 'idx.label-range');
        refused(() => core.readData(new Uint8Array(), new Uint8Array()), 'idx.truncated');
      },
    },
    {
      name: 'a participant offers its updates and retries when nobody answers',
      run() {
        const plan = core.openPlan(envelope, coordinatorKey);
        const options = { plan, id: 'plant-a', seed: seed(3), acceptedBy: 'Ada Novak', train: data() };
        const participant = core.createParticipant(options);
        equal([participant.view().train_rows, participant.view().test_rows], [270, 30], 'rows to train on and held out');
        const [offer] = participant.started(1_767_225_600_000);
        check(offer?.type === 'offer' && offer.asset === 'urn:fl:digits-demo:plant-a:updates' && offer.bytes.length > 100, 'the first command is an offer');
        const lost = participant.failed(0, 'connector.unreachable', 'nobody answered', 1_767_225_600_100);
        equal(lost.map((c) => c.type), ['notice', 'wait'], 'after a failure');
        equal(participant.waited(1_767_225_600_400)[0]?.type, 'offer', 'after the wait');
        equal(participant.offered()[0]?.type, 'watch', 'after the offer');
        refused(() => participant.watched(new Uint8Array([1, 2, 3]), 0), 'wire.malformed');
        const ended = participant.failed(401, 'auth.unknown-token', 'the token is not known', 0);
        check(ended.some((c) => c.type === 'finish' && !c.ok && c.code === 'auth.unknown-token'), 'an unknown token ends it');
        refused(() => participant.predict(new Float32Array(784), 'federated'), 'model.none-yet');
        refused(() => core.createParticipant({ ...options, id: 'Not An Id' }), 'contract.bad-id');
        participant.close();
      },
    },
    {
      name: 'slices decide the bits of a training, and nothing else of it',
      async run() {
        const of = (slices?: number) => digestOf(core, slices ? { batch: 16, slices, steps: 3 } : { batch: 16, steps: 3 });
        equal(await of(1), await of(), 'one slice');
        check((await of(4)) !== (await of(1)), 'four slices are another order');
        refused(() => core.sealPlan(seed(1), { batch: 3, slices: 4 }), 'plan.range');
      },
    },
    {
      name: 'slices that other modules compute give the bits of one',
      async run() {
        for (const setting of trainings.slice(1)) {
          const expected = await digestOf(core, setting);
          for (const helpers of [1, 2]) {
            const found = await run(core, setting, { wasm, open: beside, helpers });
            equal([found.digest, found.lanes], [expected, helpers + 1], `with ${helpers} helpers`);
          }
        }
      },
    },
    {
      name: 'a helper that fails is done without',
      async run() {
        let opened = 0;
        const open = () => {
          if (opened++ > 0) return beside();
          const { port1, port2 } = new MessageChannel();
          port2.onmessage = ({ data }) => 'tasks' in data && port2.postMessage({ error: 'out of memory' });
          return port1 as HelperPort;
        };
        const found = await run(core, trainings[1]!, { wasm, open, helpers: 2 });
        equal([found.digest, found.lanes], [await digestOf(core, trainings[1]!), 2], 'without the one that failed');
      },
    },
    {
      name: 'a task that is not one is refused',
      run() {
        const plan = core.openPlan(core.sealPlan(seed(1), { batch: 8, slices: 2 }));
        const helper = core.handle('_ent_helper_create', plan.handle);
        for (const size of [0, 10, 1000]) refused(() => core.bytes('_ent_helper_compute', helper, new Uint8Array(size)), 'training.slice');
        refused(() => core.bytes('_ent_helper_compute', helper, new Uint8Array(1000).fill(255)), 'training.slice');
        refused(() => core.text('_ent_slice_compute', helper, 0), 'handle.unknown');
        plan.close();
        core.release(helper);
      },
    },
    {
      name: 'a federation in the page learns, and keeps its books',
      run() {
        const [train, test] = [data(), data()];
        const demo = Demo.begin(core, train, test, { partners: 3, shards: 0, epochs: 2, minCohort: 2, rounds: 3 });
        for (let i = 0; demo.advance(8); i++) check(i < 10_000, 'it comes to an end');
        const view = demo.view();
        equal([view.finished, view.completed], [true, 3], 'finished');
        const rounds = demo.rounds();
        equal(rounds.length, 3, 'rounds');
        check(rounds[2]!.federated > 0.9, `it has learned: ${rounds[2]!.federated}`);
        equal(rounds[2]!.alone.length, 3, 'alone');
        equal(demo.agreements().length, 6, 'agreements');
        equal(demo.ledger().filter((e) => e.kind === 'update.accepted').length, 9, 'updates in the ledger');
        const { images } = idx(1);
        const probabilities = demo.predict(Float32Array.from(images.slice(16), (v) => v / 255));
        equal(probabilities.indexOf(Math.max(...probabilities)), idx(1).labels[8], 'prediction');
        const file = demo.safetensors();
        const header = JSON.parse(new TextDecoder().decode(file.slice(8, 8 + new DataView(file.buffer).getUint32(0, true))));
        check(header.__metadata__.federation === 'digits-demo', 'safetensors has its metadata');
        // The same whatever the slices.
        const again = Demo.begin(core, train, test, { partners: 3, shards: 0, epochs: 2, minCohort: 2, rounds: 3 });
        while (again.advance(3));
        equal(again.view().model, view.model, 'digest of the model');
        demo.close();
        again.close();
      },
    },
    {
      name: 'the coordinator’s log is followed, and a fork is one',
      run() {
        const follow = (kept: string) => LogWatch.of(core, 'digits-demo', core.publicKey(seed(1)), kept);
        const log = follow('');
        equal(log.see(three), {}, 'the first checkpoint asks for nothing');
        equal(log.see(nine), { from: 3, to: 9 }, 'the next one asks for the way');
        equal(log.last, three, 'not proved yet');
        const hashes = Uint8Array.from(way.join('').match(/../g)!, (pair) => parseInt(pair, 16));
        log.prove(hashes);
        equal(log.last, nine, 'proved');
        const later = follow(log.last);
        refused(() => later.see(fork), 'log.fork');
        refused(() => later.see(three), 'log.fork');
        refused(() => later.see('<html>'), 'note.malformed');
        equal(later.last, nine, 'what is kept');
        const wrong = follow(three);
        wrong.see(nine);
        hashes[5]! ^= 1;
        refused(() => wrong.prove(hashes), 'log.fork');
        for (const held of [wrong, later, log]) held.close();
      },
    },
    {
      name: 'a cohort below the contract is not released, and the reason is told',
      run() {
        const demo = Demo.begin(core, data(), data(), { partners: 4, shards: 0, epochs: 1, minCohort: 5, rounds: 3 });
        for (let i = 0; demo.advance(16); i++) check(i < 10_000, 'it comes to an end');
        equal([demo.view().finished, demo.view().completed], [false, 0], 'nothing was released');
        const denied = demo.ledger().find((e) => e.permitted === false);
        check(/5/.test(denied?.sentence ?? '') && denied?.point === 'release', `the reason: ${denied?.sentence}`);
        refused(() => Demo.begin(core, data(), data(), { partners: 9, shards: 0, epochs: 1, minCohort: 2, rounds: 3 }), 'demo.partners');
      },
    },
  ];
}

// What ships has no exceptions: `core` is of that module, `full` of the one that can seal plans.
export function shippedCases(wasm: ArrayBuffer, full: Core): Case[] {
  const envelope = full.sealPlan(seed(1));
  return [
    {
      name: 'what ships refuses damaged bytes by value, and goes on',
      async run() {
        const core = new Core(await loadModule(wasm));
        const reason = (bytes: Uint8Array) => {
          try {
            core.openPlan(bytes).close();
            return '';
          } catch (error) {
            return (error as CoreError).reason;
          }
        };
        for (let size = 0; size < envelope.length; size += 7) equal(reason(envelope.slice(0, size)), 'frame.truncated', `${size} bytes`);
        for (let at = 0; at < envelope.length; at += 5) {
          const flipped = envelope.slice();
          flipped[at]! ^= 0x41;
          check(/^(frame|plan|archive|zstd)\./.test(reason(flipped)), `byte ${at}: a reason of its own, found ${reason(flipped)}`);
        }
        equal(reason(envelope), '', 'the plan itself');
        refused(() => core.readData(idx(20).labels, idx(20).images), 'idx.magic');
      },
    },
    {
      name: 'where memory ends, what ships stops, and says so from then on',
      async run() {
        const module = await loadModule(wasm);
        const core = new Core(module);
        const plan = core.openPlan(envelope);
        const room = module._malloc(64); // for what the call itself is given
        for (let size = 1 << 30; size >= 16; size /= 2) while (module._malloc(size) !== 0);
        module._free(room);
        refused(() => core.json('_ent_plan_describe', plan.handle, '', 0), 'core.stopped');
        refused(() => core.version, 'core.stopped');
        plan.close();
      },
    },
  ];
}

// What each case came to, for a page, which has no test runner.
export async function outcomes(core: Core, wasm: ArrayBuffer): Promise<{ name: string; error: string | null }[]> {
  const results = [];
  for (const { name, run } of cases(core, wasm)) {
    try {
      await run();
      results.push({ name, error: null });
    } catch (error) {
      results.push({ name, error: String(error) });
    }
  }
  return results;
}
