// What was done under each partner's agreements: updates counted and refused, models given out, what policy denied. And its
// evidence, to take away: that partner's records with their proofs, and nobody else's.
import { useMemo, useState } from 'preact/hooks';
import type { Fault } from '../core/rpc.ts';
import { evidenceOf, type Token } from '../join/api.ts';
import { ago, instant, number, plural, save, spans } from '../ui/format.ts';
import { Figures, Problem } from '../ui/parts.tsx';
import type { AgreementRow, LedgerRow, Status } from './live.ts';

interface Use {
  rounds: number[]; // whose model an update of it is in
  refused: LedgerRow[];
  denied: LedgerRow[];
  given: number; // models
  taken: number; // updates that were fetched
  left: LedgerRow | undefined;
}

function usesOf(id: string, status: Status, ledger: LedgerRow[]): Use {
  const rows = ledger.filter((r) => r.participant === id);
  const fetches = rows.filter((r) => r.kind === 'policy.permitted' && r.summary.startsWith('transfer ')).length;
  const rounds = status.history.filter((r) => r.contributors.includes(id)).map((r) => r.round);
  const accepted = rows.filter((r) => r.kind === 'update.accepted').length;
  const refused = rows.filter((r) => r.kind === 'update.refused');
  const taken = Math.min(fetches, accepted + refused.length); // each was fetched before it was judged
  return {
    rounds, refused, taken, given: fetches - taken,
    denied: rows.filter((r) => r.kind === 'policy.denied'),
    left: rows.findLast((r) => r.kind === 'participant.left' || r.kind === 'participant.admitted'),
  };
}

export function Uses({ status, ledger, agreements, token }: { status: Status; ledger: LedgerRow[]; agreements: AgreementRow[]; token: Token }) {
  const [fault, setFault] = useState<Fault>();
  const uses = useMemo(() => new Map(status.participants.map((p) => [p.id, usesOf(p.id, status, ledger)])), [status.completed, status.participants.length, ledger.length]);
  return (
    <section class="card stack" aria-labelledby="uses">
      <header><h2 id="uses">Uses and refusals</h2><span class="small soft">what was done under each partner’s agreements</span></header>
      {fault && <Problem trouble={{ happened: `The evidence could not be read: ${fault.message}`, safe: 'Nothing was changed.', todo: 'Try again.', code: fault.reason }} />}
      {status.participants.length === 0 && <p class="soft">Nobody has joined yet.</p>}
      <div>
        {status.participants.map((p) => {
          const use = uses.get(p.id)!;
          const left = use.left?.kind === 'participant.left' ? use.left : undefined;
          const count = agreements.filter((a) => a.assigner === p.id || a.assignee === p.id).length;
          return (
            <details key={p.id}>
              <summary>{p.name}{left ? ', has left' : ''}{use.refused.length + use.denied.length > 0 ? `, ${plural(use.refused.length + use.denied.length, 'refusal')}` : ''}</summary>
              <div class="stack" style={{ padding: '8px 0 16px' }}>
                <Figures values={[['Agreements', number(count)], ['Updates counted', number(use.rounds.length)], ['Updates refused', number(use.refused.length)], ['Models given', number(use.given)], ['Denied by policy', number(use.denied.length)]]} />
                {use.rounds.length > 0 && <p class="small">Its updates are in the models of {use.rounds.length === 1 ? 'round' : 'rounds'} {spans(use.rounds)}.</p>}
                {left && <p class="small">{left.summary}, <time title={instant(left.at_ms)}>{ago(left.at_ms)}</time>. What was stored of its updates is deleted, and the ledger has an entry for each round.</p>}
                {[...use.refused, ...use.denied].slice(-20).map((r) => <p key={r.sequence} class="small">Entry {r.sequence}: {r.summary}</p>)}
                <div class="row"><button type="button" class="plain small" onClick={() => void evidenceOf(p.id, token).then((text) => { setFault(undefined); save(`evidence-${p.id}.json`, text, 'application/json'); }, setFault)}>Save the evidence of {p.name}</button><span class="small soft">its own records with their proofs; <code class="mono">entente verify evidence-{p.id}.json</code></span></div>
              </div>
            </details>
          );
        })}
      </div>
    </section>
  );
}
