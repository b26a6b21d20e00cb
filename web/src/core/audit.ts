// A round checked out of what a coordinator shows: its ledger, its log, its models, and its updates where they may be read.
// `core`: entente_audit.wasm, or the module that has everything. The host fetches what is wanted (dashboard/check.ts).
import { Held, type Core, type Plan } from './core.ts';

export interface AuditProblem {
  subject: string;
  code: string;
  sentence: string;
  sequence: number; // of the ledger's record; 0: of none
}

export interface RoundAudit {
  outcome: 'same' | 'deleted' | 'not-asked' | 'unreadable' | 'wrong';
  receipt: boolean; // it has one, and it is right
  weight: number;
  participants: string[];
  base_model: string;
  model: string;
}

export interface AuditText {
  records: number;
  round: RoundAudit | null; // no model came of it
  problems: AuditProblem[];
}

export class Audit extends Held {
  // `note`: the log's checkpoint. CoreError when it is not this coordinator's.
  static of(core: Core, plan: Plan, note: string): Audit {
    return new Audit(core, core.handle('_ent_audit_begin', plan.handle, note));
  }
  log(): { records: number; tiles: string[] } {
    return this.core.json('_ent_audit_log', this.handle);
  }
  // A page of the ledger's entries; how many there are now.
  entries(page: Uint8Array): number {
    return this.core.json('_ent_audit_entries', this.handle, page);
  }
  tile(path: string, bytes: Uint8Array): void {
    this.core.text('_ent_audit_tile', this.handle, path, bytes);
  }
  // What computing the round again takes.
  wanted(round: number): { blob: string; update: boolean }[] {
    return this.core.json('_ent_audit_wanted', this.handle, round);
  }
  blob(digest: string, bytes: Uint8Array): void {
    this.core.text('_ent_audit_blob', this.handle, digest, bytes);
  }
  // The envelopes are forgotten then.
  run(round: number, updates: boolean): AuditText {
    return this.core.json('_ent_audit_run', this.handle, round, updates ? 1 : 0);
  }
}
