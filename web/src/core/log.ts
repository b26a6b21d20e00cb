// What can be proved to a partner: the log that goes on where it was last seen, and receipts. `core`: entente_log.wasm, or the
// module that has everything.
import { Held, type Core } from './core.ts';

// The coordinator's log, so that it can show nobody another history later: "log.fork" when it tries.
export class LogWatch extends Held {
  // `kept`: what `last` said when it was last kept.
  static of(core: Core, federation: string, key: string, kept: string): LogWatch {
    return new LogWatch(core, core.handle('_ent_log_watch', federation, key, kept));
  }
  // The consistency proof that this checkpoint asks for.
  see(note: string): { from?: number; to?: number } {
    return this.core.json('_ent_log_see', this.handle, note);
  }
  prove(hashes: Uint8Array): void {
    this.core.text('_ent_log_prove', this.handle, hashes);
  }
  // What was seen last, cosigned: a signed note.
  cosign(participant: string, seed: Uint8Array, seconds: number): string {
    return this.core.text('_ent_log_cosign', this.handle, participant, seed, seconds);
  }
  get last(): string {
    return this.core.text('_ent_log_last', this.handle);
  }
}

export interface ReceiptText {
  round: number;
  baseModel: string;
  model: string;
  rule: string;
  updates: number;
  weight: number;
}

export interface EvidenceText {
  participant: string;
  unproved: number;
  log_size: number;
  receipt?: ReceiptText;
  records: { kind: string; summary: string; round?: number; participant?: string; content?: string; weight?: number }[];
}

// A receipt or evidence, everything in it proved; CoreError where something does not hold.
export const checkEvidence = (core: Core, text: string, key: string): EvidenceText => core.json('_ent_evidence_check', text, key);
