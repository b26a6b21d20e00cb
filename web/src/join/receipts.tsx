// "Check this round": what the coordinator signed about it, compared in words with what this page knows.
import { useState } from 'preact/hooks';
import type { Fault } from '../core/rpc.ts';
import { Problem } from '../ui/parts.tsx';
import { save } from '../ui/format.ts';
import { Findings } from '../ui/findings.tsx';
import type { Checked } from './check.ts';
import type { PartnerNews } from './partner.ts';
import type { PartnerRemote } from './steps.ts';

export function Receipts({ news, remote }: { news: PartnerNews; remote: PartnerRemote }) {
  const [chosen, setChosen] = useState(0);
  const [checked, setChecked] = useState<Checked>();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<Fault>();
  // A round has its receipt when a model of a later one is here.
  const last = Math.max(0, ...news.crossings.filter((c) => !c.outgoing).map((c) => c.round - 1));
  if (last === 0) return null;
  const round = chosen || last;
  async function check() {
    setBusy(true);
    setFault(undefined);
    await remote.check(round).then(setChecked, (error: Fault) => { setFault(error); setChecked(undefined); });
    setBusy(false);
  }
  return (
    <section class="card stack" aria-labelledby="check">
      <h2 id="check">Check a round</h2>
      <p class="small soft">Every round has a receipt that the coordinator cannot take back: which updates made which model. It is compared here with what this computer sent and received.</p>
      <div class="row">
        <label for="round">Round</label>
        <select id="round" style={{ width: 'auto' }} value={round} onChange={(e) => { setChosen(Number(e.currentTarget.value)); setChecked(undefined); }}>
          {Array.from({ length: last }, (_, i) => last - i).map((r) => <option key={r} value={r}>{r}</option>)}
        </select>
        <button type="button" disabled={busy} onClick={() => void check()}>{busy ? 'Checking' : 'Check this round'}</button>
        <button type="button" class="plain" onClick={() => void remote.evidence().then((text) => save(`evidence-${news.participant}.json`, text, 'application/json'), setFault)}>Save your evidence</button>
      </div>
      {fault && <Problem trouble={{ happened: `The round could not be checked: ${fault.message}`, safe: 'That says nothing against it.', todo: fault.status === 404 ? 'It may have been abandoned: choose another one.' : 'Try again.', code: fault.reason }} />}
      {checked && <Findings holds={checked.holds} title={checked.holds ? `Round ${checked.round} holds.` : `Round ${checked.round} does not hold.`} findings={checked.findings} />}
      {checked?.holds && <p class="small soft">Whether the updates of all add up to that model is for the operator and auditors to compute: yours is all that you may see.</p>}
    </section>
  );
}
