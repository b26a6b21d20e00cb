// What can be proved: the log's signed head, and each round's receipt with what it commits to. Read, checked and taken away here;
// `entente verify` checks the same without this page, which comes from the coordinator itself.
import { useEffect, useState } from 'preact/hooks';
import { Fault } from '../core/rpc.ts';
import { call, json, type Token } from '../join/api.ts';
import { number, plural, save } from '../ui/format.ts';
import { Figures, Id, Problem } from '../ui/parts.tsx';
import { CheckRound } from './check_round.tsx';

interface Head {
  size: number;
  root: string;
  witnesses: string[];
  note: string;
}

interface Committed {
  sequence: number;
  participant: string;
}

interface Receipt {
  coordinator_key: string;
  receipt: { payload: string };
  record: { sequence: number };
  proof?: string; // none until a checkpoint covers it
  updates: Committed[];
  decisions: Committed[];
}

interface Says {
  baseModel: string;
  model: string;
  rule: string;
  updates: number;
  weight: number;
  decisions: number;
}

// A signed note: lines of origin, size and root, an empty one, signatures.
function headOf(note: string): Head {
  const [text = '', signatures = ''] = note.split('\n\n');
  const [origin = '', size = '0', root = ''] = text.split('\n');
  const names = signatures.split('\n').map((line) => line.split(' ')[1] ?? '').filter((name) => name && name !== origin);
  return { size: Number(size), root, witnesses: names, note };
}

export function Proof({ token, rounds, names }: { token: Token; rounds: number[]; names: Map<string, string> }) {
  const [head, setHead] = useState<Head>();
  const [fault, setFault] = useState<Fault>();
  const latest = rounds.at(-1) ?? 0;
  useEffect(() => {
    call('log/checkpoint', {}, token).then((response) => response.text()).then((note) => { setHead(headOf(note)); setFault(undefined); }, setFault);
  }, [latest]);
  return (
    <section class="card stack" aria-labelledby="proof">
      <header><h2 id="proof">Proof</h2><span class="small soft">every ledger entry is a leaf of a log that partners watch</span></header>
      {fault && <Problem trouble={{ happened: `The log cannot be read: ${fault.message}`, safe: 'Nothing was changed.', todo: 'Open this page again.', code: fault.reason }} />}
      {head && (
        <>
          <Figures values={[['Entries signed', number(head.size)], ['Root', <Id value={head.root} />], ['Cosigned by', head.witnesses.length > 0 ? head.witnesses.map((id) => names.get(id) ?? id).join(', ') : 'nobody']]} />
          <div class="row"><button type="button" class="plain small" onClick={() => save('checkpoint.txt', head.note, 'text/plain')}>Save the checkpoint</button></div>
        </>
      )}
      {rounds.length === 0 ? <p class="soft">The first receipt is issued when the first round is done.</p> : (
        <div>{[...rounds].reverse().slice(0, most).map((round) => <OfRound key={round} token={token} round={round} names={names} />)}</div>
      )}
    </section>
  );
}

const most = 12;

function OfRound({ token, round, names }: { token: Token; round: number; names: Map<string, string> }) {
  const [receipt, setReceipt] = useState<Receipt>();
  const [fault, setFault] = useState<Fault>();
  const open = (event: Event) => {
    if (!(event.currentTarget as HTMLDetailsElement).open || receipt) return;
    json<Receipt>(`receipts/${round}`, token).then(setReceipt, setFault);
  };
  const says = receipt && (JSON.parse(atob(receipt.receipt.payload)) as Says);
  return (
    <details onToggle={open}>
      <summary>Receipt of round {round}</summary>
      <div class="stack tight" style={{ padding: '8px 0 16px' }}>
        {fault && <p class="small">{fault.message} <code class="mono soft">{fault.reason}</code></p>}
        {receipt && says && (
          <>
            <p class="small">{plural(says.updates, 'update')} with the weight {number(says.weight)}, by {says.rule}, made <Id value={says.model} /> of <Id value={says.baseModel} />. {plural(says.decisions, 'decision')} of the policy let them in and the result out.</p>
            <ul class="small" style={{ paddingLeft: '20px', margin: 0 }}>{receipt.updates.map((u) => <li key={u.sequence}>{names.get(u.participant) ?? u.participant}: ledger entry {u.sequence}</li>)}</ul>
            <p class="small soft">{receipt.proof ? `Signed, and in the log as entry ${receipt.record.sequence}.` : 'Signed; the next checkpoint will cover it.'} Check the file with <code class="mono">entente verify receipt-{round}.json <span style={{ whiteSpace: 'nowrap' }}>--key {receipt.coordinator_key.slice(0, 8)}…</span></code></p>
            <CheckRound token={token} round={round} coordinatorKey={receipt.coordinator_key} names={names} />
            <div class="row"><button type="button" class="plain small" onClick={() => save(`receipt-${round}.json`, JSON.stringify(receipt), 'application/json')}>Save the receipt</button></div>
          </>
        )}
      </div>
    </details>
  );
}
