// A whole federation in the page: what the offline demo wants of the core, and the join page does not carry.
//
//   const demo = Demo.begin(core, train, test, { partners: 4, shards: 2, epochs: 1, minCohort: 3, rounds: 10 });
//   while (demo.advance(4)) show(demo.view());
import { asFloats, type ContractText, type Core, type Data, Held } from './core.ts';

export interface DemoPartner {
  id: string;
  name: string;
  examples: number;
  activity: string;
  standing: string;
  progress: number;
  loss: number;
  bytes_up: number;
  bytes_down: number;
  update_agreement: string;
  model_agreement: string;
  balance: number[];
}

export interface DemoText {
  sentence: string;
  finished: boolean;
  phase: string;
  round: number;
  completed: number;
  rounds: number;
  waiting_for: string;
  model: string;
  model_bytes: number;
  partners: DemoPartner[];
}

export interface DemoRound {
  round: number;
  federated: number;
  loss: number;
  alone: number[];
  bytes_up: number;
  bytes_down: number;
  contributors: number;
}

export interface LedgerEntry {
  sequence: number;
  at_ms: number;
  kind: string;
  summary: string;
  link: string;
  participant?: string;
  agreement?: string;
  round?: number;
  size?: number;
  weight?: number;
  digest?: string;
  permitted?: boolean;
  point?: string;
  code?: string;
  sentence?: string;
  reason?: string;
  final?: boolean;
}

export interface AgreementText extends ContractText {
  id: string;
  asset: string;
  assigner: string;
  assignee: string;
  accepted_by: string;
  agreed_at_ms: number;
}

// A plan and its task as in examples/, and the number of the story whose tables are made (core/include/entente/table/make.hpp).
export interface DemoFiles {
  story: number;
  plan: string;
  task: string;
}

// What the models of each round are worth to partners with tables; last in each list: all rows together.
export interface DemoWorth {
  who: string;
  metrics: (number | null)[];
}

export interface DemoScores {
  task: string;
  metrics: { name: string; lower: boolean }[]; // lower: less is better
  partners: { train: number; test: number; positive?: number }[];
  shared: number; // numbers of a row that everybody's mean and deviation scale; 0: each scales by itself
  rounds: { round: number; together: DemoWorth[]; alone: DemoWorth[] }[];
}

export interface DemoSetting {
  partners: number;
  shards: number;
  epochs: number;
  minCohort: number;
  rounds: number;
}

export class Demo extends Held {
  static begin(core: Core, train: Data, test: Data, s: DemoSetting): Demo {
    return new Demo(core, core.handle('_ent_demo_create', train.handle, test.handle, s.partners, s.shards, s.epochs, s.minCohort, s.rounds));
  }

  // On tables that the core makes; the plan says how many rounds.
  static made(core: Core, files: DemoFiles, s: DemoSetting): Demo {
    return new Demo(core, core.handle('_ent_demo_made', files.plan, files.task, files.story, s.partners, s.epochs, s.minCohort));
  }

  // False at the end.
  advance(maxBatches: number): boolean {
    return this.core.text('_ent_demo_advance', this.handle, maxBatches) === '1';
  }
  view(): DemoText {
    return this.core.json('_ent_demo_view', this.handle);
  }
  rounds(): DemoRound[] {
    return this.core.json('_ent_demo_rounds', this.handle);
  }
  scores(): DemoScores | null {
    return this.core.json('_ent_demo_scores', this.handle);
  }
  ledger(first = 0): LedgerEntry[] {
    return this.core.json('_ent_demo_ledger', this.handle, first);
  }
  agreements(): AgreementText[] {
    return this.core.json('_ent_demo_agreements', this.handle);
  }
  predict(pixels: Float32Array): number[] {
    return asFloats(this.core.bytes('_ent_demo_predict', this.handle, pixels));
  }
  safetensors(): Uint8Array<ArrayBuffer> {
    return this.core.bytes('_ent_demo_safetensors', this.handle);
  }
}
