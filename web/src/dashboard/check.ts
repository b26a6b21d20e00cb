// "Check this round", for operator and auditor, in a Worker of its own: fetches what it takes, and computes the round again where
// its updates are stored and may be read.
import wasm from '#wasm/audit.wasm?url';
import { Audit, type AuditText } from '../core/audit.ts';
import { loadCore, type Core, type Plan } from '../core/core.ts';
import { Fault, serve } from '../core/rpc.ts';
import { bytesOf, call, json } from '../join/api.ts';

export interface CheckNews {
  share: number; // done
  doing: string;
}

export interface RoundChecked extends AuditText {
  updates: boolean; // may be read with this role
}

const most_bytes = 512 * 1024 * 1024; // of a ledger that a page holds

let core: Core | undefined;
let plan: Plan | undefined;

const methods = {
  async check(round: number, token: string, key: string): Promise<RoundChecked> {
    const news = (share: number, doing: string) => send({ share, doing } satisfies CheckNews);
    const get = async (path: string) => bytesOf(await call(path, {}, token));
    news(0, 'Fetching what checks it');
    core ??= await loadCore(await (await fetch(new URL(wasm, location.href))).arrayBuffer());
    const me = await json<{ reads_updates?: boolean }>('me', token);
    plan ??= core.openPlan(await get('plan'), key);
    const audit = Audit.of(core, plan, await (await call('log/checkpoint', {}, token)).text());
    try {
      const { records, tiles } = audit.log();
      let bytes = 0;
      for (let have = 0; have < records;) {
        news((0.4 * have) / records, `Reading the ledger, ${have} of ${records} records`);
        const page = await get(`ledger/entries?after=${have}&limit=${Math.min(1000, records - have)}`);
        const now = audit.entries(page);
        if (now === have) break; // said by the audit: fewer than what is signed
        have = now;
        bytes += page.length;
        if (bytes > most_bytes) throw new Fault('The ledger is too long for a page. Use: entente verify, with this address.', 'check.too-long');
      }
      for (const [i, path] of tiles.entries()) {
        news(0.4 + (0.2 * i) / tiles.length, `Reading the log, ${i} of ${tiles.length} tiles`);
        // What is missing is told by the audit, by its name.
        await get(`log/${path}`).then((tile) => audit.tile(path, tile), lost);
      }
      const updates = me.reads_updates === true;
      const wanted = audit.wanted(round).filter((w) => updates || !w.update);
      for (const [i, { blob, update }] of wanted.entries()) {
        news(0.6 + (0.3 * i) / wanted.length, update ? 'Fetching the updates' : 'Fetching the models');
        await get(`blobs/${blob}`).then((envelope) => audit.blob(blob, envelope), lost);
      }
      news(0.9, updates ? 'Computing the round again' : 'Comparing');
      return { ...audit.run(round, updates), updates };
    } finally {
      audit.close();
    }
  },
};

// Nobody there is not the same as nothing there.
function lost(error: Fault): void {
  if (error.status !== 404 && error.status !== 500) throw error;
}

export type CheckMethods = typeof methods;
const send = serve(methods, self);
