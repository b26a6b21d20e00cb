// What is checked for a partner: the coordinator's log at every poll, and by "Check this round" a receipt, against what this page
// sent and received, and against the log that it has seen. Fetched with the first poll, its module too: the first training step
// does without.
import wasm from '#wasm/log.wasm?url';
import { CoreError, loadCore, type Core } from '../core/core.ts';
import { checkEvidence, LogWatch } from '../core/log.ts';
import { Fault } from '../core/rpc.ts';
import { call, consistency, type Token } from './api.ts';
import type { StoredCrossing } from './store.ts';

export interface Finding {
  ok: boolean | null; // null: cannot be said here
  text: string;
  code?: string;
}

export interface Checked {
  round: number;
  holds: boolean;
  findings: Finding[];
}

export interface Known {
  federation: string;
  participant: string;
  key: string; // the coordinator's
  kept: string; // the checkpoint that was seen last, before anything is asked
  crossings: StoredCrossing[];
}

let loaded: Promise<Core> | undefined;
const core = (): Promise<Core> => (loaded ??= load().catch((error: Error) => {
  loaded = undefined; // offline now, perhaps not later
  throw error;
}));

async function load(): Promise<Core> {
  const response = await fetch(new URL(wasm, location.href));
  if (!response.ok) throw new Fault(`What checks the log could not be loaded (status ${response.status}).`, 'page.core', response.status);
  return loadCore(await response.arrayBuffer());
}

export const watchLog = async (federation: string, key: string, kept: string): Promise<LogWatch> => LogWatch.of(await core(), federation, key, kept);

export async function checkRound(round: number, known: Known, token: Token): Promise<Checked> {
  const log = await core();
  const findings: Finding[] = [];
  const say = (ok: boolean | null, text: string, code?: string) => findings.push({ ok, text, ...(code ? { code } : {}) });
  const done = (): Checked => ({ round, holds: findings.every((f) => f.ok !== false), findings });
  const text = await (await call(`receipts/${round}`, {}, token)).text();
  let evidence;
  try {
    evidence = checkEvidence(log, text, known.key);
  } catch (error) {
    if (!(error instanceof CoreError)) throw error;
    say(false, `The receipt does not hold: ${error.message}`, error.reason);
    return done();
  }
  const { receipt } = evidence;
  if (!receipt || receipt.round !== round) {
    say(false, `The coordinator showed ${receipt ? `the receipt of round ${receipt.round}` : 'no receipt'} in its place.`, 'receipt.other');
    return done();
  }
  say(true, 'The receipt is signed by the coordinator that you joined.');
  const proof = (JSON.parse(text) as { proof?: string }).proof;
  if (proof) {
    await sayLog(log, proof.slice(proof.indexOf('\n\n') + 2), evidence.log_size);
  } else {
    say(null, 'No checkpoint of the log covers the receipt yet. Check again in a moment.');
  }
  // What was sent and received: this page remembers the digests.
  const mine = evidence.records.find((r) => r.kind === 'update.accepted' && r.participant === known.participant);
  const sent = known.crossings.filter((c) => c.outgoing);
  if (!mine) say(true, `None of the ${receipt.updates} updates in it is yours.`);
  else if (sent.some((c) => c.content === mine.content)) say(true, `Your update is in it, unchanged, as one of ${receipt.updates}.`);
  else if (!sent.some((c) => c.round === round)) say(null, 'An update of yours is in it; this browser does not remember what it sent in that round.');
  else say(false, 'An update under your name is in it that this page did not send.', 'update.other');
  sayModel(known.crossings.find((c) => !c.outgoing && !c.final && c.round === round), receipt.baseModel, 'It began with the model that you trained on.', 'It names another model than the one that you trained on.');
  sayModel(known.crossings.find((c) => !c.outgoing && c.round === round + 1), receipt.model, 'What came of it is the model that you were given next.', 'It names another model than the one that you were given next.');
  return done();

  function sayModel(crossing: StoredCrossing | undefined, named: string, good: string, bad: string): void {
    if (!crossing) return;
    if (crossing.content === named) say(true, good);
    else say(false, bad, 'model.other');
  }

  async function sayLog(log: Core, note: string, size: number): Promise<void> {
    const watch = LogWatch.of(log, known.federation, known.key, known.kept);
    try {
      const { from, to } = watch.see(note);
      if (from !== undefined && to !== undefined) watch.prove(await consistency(from, to, token));
      say(true, `It is in the coordinator’s log of ${size} entries, which goes on from the one that this page saw before.`);
    } catch (error) {
      if (error instanceof CoreError) say(false, error.message, error.reason);
      else throw error instanceof Fault ? error : new Fault(String(error), 'connector.unreachable');
    } finally {
      watch.close();
    }
  }
}
