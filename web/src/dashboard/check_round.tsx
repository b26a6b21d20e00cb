// The button beside a receipt, and what came of it in words.
import { useRef, useState } from 'preact/hooks';
import { connect, type Fault, type Remote } from '../core/rpc.ts';
import { textOf, type Token } from '../join/api.ts';
import { number, plural } from '../ui/format.ts';
import { Findings, type FindingText } from '../ui/findings.tsx';
import { Bar, Problem } from '../ui/parts.tsx';
import type { CheckMethods, CheckNews, RoundChecked } from './check.ts';

export function CheckRound({ token, round, coordinatorKey, names }: { token: Token; round: number; coordinatorKey: string; names: Map<string, string> }) {
  const [news, setNews] = useState<CheckNews>();
  const [checked, setChecked] = useState<RoundChecked>();
  const [fault, setFault] = useState<Fault>();
  const remote = useRef<Remote<CheckMethods>>();
  async function check() {
    setChecked(undefined);
    setFault(undefined);
    setNews({ share: 0, doing: 'Beginning' });
    remote.current ??= connect<CheckMethods, CheckNews>(new Worker(new URL('./check.ts', import.meta.url), { type: 'module' }), setNews);
    await remote.current.check(round, textOf(token), coordinatorKey).then(setChecked, setFault);
    setNews(undefined);
  }
  return (
    <div class="stack tight">
      <div class="row"><button type="button" disabled={news !== undefined} onClick={() => void check()}>{news ? 'Checking' : 'Check this round'}</button></div>
      {news && <div class="stack tight"><Bar value={news.share} label={`Checking round ${round}`} /><p class="small soft">{news.doing}</p></div>}
      {fault && <Problem trouble={{ happened: `The round could not be checked: ${fault.message}`, safe: 'That says nothing against it.', todo: 'Try again, or use entente verify with this address.', code: fault.reason }} />}
      {checked && <Findings {...said(round, checked, names)} />}
    </div>
  );
}

function said(round: number, { records, round: r, problems }: RoundChecked, names: Map<string, string>): { title: string; holds: boolean; findings: FindingText[] } {
  const findings: FindingText[] = problems.map((p) => ({ ok: false, text: `${p.subject}${p.sequence ? ` (record ${p.sequence})` : ''}: ${p.sentence}.`, code: p.code }));
  const holds = problems.length === 0 && r !== null && r.receipt;
  if (holds) {
    findings.push(
      { ok: true, text: `The ledger’s ${number(records)} records hang together, and the log’s checkpoint is signed over all of them.` },
      { ok: true, text: 'The receipt is signed, and says what the records of the round say.' },
      { ok: true, text: 'The model that it began with and the model that came of it are signed, and are those that the receipt names.' },
    );
  }
  const who = r?.participants.map((id) => names.get(id) ?? id).join(', ');
  if (r === null) findings.push({ ok: false, text: 'The ledger has no model that came of this round.', code: 'round.none' });
  else if (!r.receipt && problems.length === 0) findings.push({ ok: false, text: 'The ledger has no receipt of this round.', code: 'receipt.none' });
  if (r?.outcome === 'same') findings.push({ ok: true, text: `Computed again from the ${plural(r.participants.length, 'update')} of ${who}: the same model, bit for bit.` });
  if (r?.outcome === 'deleted') findings.push({ ok: null, text: `Its updates, of ${who}, were deleted as agreed. The sum was not computed again.` });
  if (r?.outcome === 'unreadable') findings.push({ ok: null, text: `Its updates, of ${who}, are stored, but not for your role to read. The sum was not computed again.` });
  const title = !holds ? `Round ${round} does not hold.` : r?.outcome === 'same' ? `Round ${round} holds, down to the last bit.` : `What can be checked of round ${round} without its updates holds.`;
  return { title, holds, findings };
}
