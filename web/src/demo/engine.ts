// The demo's federation, advanced in slices. It runs in a worker, or on the page where workers are refused.
import { loadCore, type Core, type Data, type Preview } from '../core/core.ts';
import { Demo, type AgreementText, type DemoFiles, type DemoRound, type DemoScores, type DemoSetting, type DemoText, type LedgerEntry } from '../core/demo.ts';
import { breathe } from '../core/rpc.ts';

export interface DemoNews {
  federation: number;  // which of those that were created, so that news of an earlier one can be told apart
  view: DemoText;
  rounds: DemoRound[];
  scores: DemoScores | null; // of tables
  ledger: LedgerEntry[];
  running: boolean;
  ended: boolean;
  error?: string;
}

const slice_ms = 30;
const news_ms = 80;

export function createEngine(send: (news: DemoNews) => void) {
  let core: Core;
  let train: Data;
  let test: Data;
  let demo: Demo | undefined;
  let running = false;
  let ended = false;
  let batches = 2;
  let looping = false;
  let told = 0;
  let federation = 0;

  function tell(error?: string) {
    if (!demo) return;
    told = performance.now();
    const news: DemoNews = {
      federation, view: demo.view(), rounds: demo.rounds(), scores: demo.scores(), ledger: demo.ledger(), running, ended,
    };
    send(error === undefined ? news : { ...news, error });
  }

  async function loop() {
    if (looping) return;
    looping = true;
    try {
      while (running && demo) {
        const began = performance.now();
        const more = demo.advance(batches);
        const took = performance.now() - began;
        batches = Math.max(1, Math.min(64, Math.round((batches * slice_ms) / Math.max(took, 1))));
        if (!more) {
          running = false;
          ended = true;
        }
        if (!more || performance.now() - told > news_ms) tell();
        await breathe();
      }
    } catch (error) {
      running = false;
      tell((error as Error).message);
    } finally {
      looping = false;
    }
  }

  return {
    async load(wasm: ArrayBuffer, sample: ArrayBuffer): Promise<{ train: number; test: number; preview: Preview[] }> {
      core = await loadCore(wasm);
      const parts = split(new Uint8Array(sample));
      train = core.readData(parts[0]!, parts[1]!);
      test = core.readData(parts[2]!, parts[3]!);
      return { train: train.describe().rows, test: test.describe().rows, preview: test.preview(10) };
    },
    create(setting: DemoSetting, files: DemoFiles | null, number: number): void {
      running = false;
      federation = number;
      demo?.close();
      demo = undefined;
      demo = files ? Demo.made(core, files, setting) : Demo.begin(core, train, test, setting);
      ended = false;
      tell();
    },
    run(): void {
      if (!demo || ended) return;
      running = true;
      void loop();
      tell();
    },
    pause(): void {
      running = false;
      tell();
    },
    predict(pixels: Float32Array): number[] {
      return demo ? demo.predict(pixels) : [];
    },
    agreements(): AgreementText[] {
      return demo ? demo.agreements() : [];
    },
    safetensors(): Uint8Array {
      return demo ? demo.safetensors() : new Uint8Array();
    },
  };
}

export type Engine = ReturnType<typeof createEngine>;

// The sample's four files, each behind its length.
function split(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = view.getUint32(at, true);
    parts.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return parts;
}
