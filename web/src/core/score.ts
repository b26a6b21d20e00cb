// Rows of a file under the final model: alerts, why, and all scores. Fetched with the first file that is dropped.
import { Held, piece_bytes, type Core, type Participant } from './core.ts';

// Alerts one behind the other that tell of the same: of windows that overlap, or of rows of one shipment.
export interface AlertGroup {
  row: number; // of the file, from 1: the strongest alert
  first: number; // rows
  last: number;
  alerts: number;
  score: number;
  event: boolean | null; // null: nobody knows yet
  names: { column: string; value: string }[]; // by which people know the row
  reasons: { text: string; amount: number }[];
  similar: { row: number; event: boolean | null }[]; // rows of the partner's own table
}

export interface ScoreText {
  scored: number;
  alerts: number;
  groups: number;
  threshold: number;
  below: boolean; // an alert is a score below it; else above
  alarm: string;  // what the threshold was calibrated on
  rate: string;
  moved: string[]; // inputs that are others than they were, a sentence each
  shown: AlertGroup[]; // the strongest first
}

export class Scores extends Held {
  static async of(core: Core, participant: Participant, file: Blob): Promise<{ scores: Scores; text: ScoreText }> {
    const scores = new Scores(core, core.handle('_ent_score_begin', participant.handle));
    try {
      for (let at = 0; at < file.size; at += piece_bytes) {
        core.text('_ent_score_feed', scores.handle, new Uint8Array(await file.slice(at, at + piece_bytes).arrayBuffer()));
      }
      return { scores, text: core.json<ScoreText>('_ent_score_finish', scores.handle) };
    } catch (error) {
      scores.close();
      throw error;
    }
  }

  csv(): Uint8Array<ArrayBuffer> {
    return this.core.bytes('_ent_score_csv', this.handle);
  }
}
