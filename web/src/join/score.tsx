// "Score a file": what the model says about rows that are dropped here. Fetched with the result of a task on tables.
import { useRef, useState } from 'preact/hooks';
import type { Fault } from '../core/rpc.ts';
import type { AlertGroup, ScoreText } from '../core/score.ts';
import { number, plural, save } from '../ui/format.ts';
import { Figures, Icon, Problem } from '../ui/parts.tsx';
import type { PartnerRemote } from './steps.ts';

export function ScoreFile({ remote, federation }: { remote: PartnerRemote; federation: string }) {
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const [scored, setScored] = useState<{ name: string; text: ScoreText }>();
  const input = useRef<HTMLInputElement>(null);
  async function take(file: File | undefined) {
    if (!file || busy) return;
    setBusy(true);
    setFault(undefined);
    setScored(undefined);
    await remote.score(file).then((text) => setScored({ name: file.name, text }), setFault);
    setBusy(false);
  }
  return (
    <section class="card stack wide" aria-labelledby="score">
      <div class="stack tight">
        <h2 id="score">Score a file</h2>
        <p>New rows in the form of your table; a column for the outcome is not needed.</p>
      </div>
      <p class="note"><Icon name="home" /><span>This file is read here and is not uploaded.</span></p>
      <div class={`drop ${over ? 'over' : ''}`} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
        onDrop={(e) => { e.preventDefault(); setOver(false); void take(e.dataTransfer?.files[0]); }}>
        <p><b>Drop the rows here</b><br /><span class="soft">columns are found as in your table</span></p>
        <div class="row actions" style={{ justifyContent: 'center' }}><button type="button" disabled={busy} onClick={() => input.current!.click()}>Choose a file</button></div>
        <input ref={input} type="file" hidden aria-label="Rows to score" onChange={(e) => { void take(e.currentTarget.files?.[0]); e.currentTarget.value = ''; }} />
      </div>
      {busy && <p role="status">The rows are scored, and alerts explained.</p>}
      {fault && <Problem trouble={{ happened: `This file could not be scored. ${reasonOf(fault)}`, safe: 'It was not uploaded.', todo: fault.reason.startsWith('alarm.') ? 'Take part with more rows of your own: the alarm is set by them.' : 'Mend the file and drop it again.', code: fault.reason }} />}
      {scored && <Outcome name={scored.name} text={scored.text} download={() => void remote.scores().then((file) => save(`${federation}-scores.csv`, file, 'text/csv'))} />}
    </section>
  );
}

function Outcome({ name, text, download }: { name: string; text: ScoreText; download: () => void }) {
  return (
    <>
      <p role="status"><span class="mono">{name}</span>: <b>{plural(text.alerts, 'alert')}</b>{text.groups < text.alerts && ` in ${number(text.groups)} ${text.groups === 1 ? 'group' : 'groups'}`} among {plural(text.scored, 'scored row')}.</p>
      {text.shown.length > 0 && <Alerts text={text} />}
      {text.shown.length > 0 && <p class="small soft">In brackets: how much a reason adds to the score.</p>}
      <Figures values={[['Scored', number(text.scored)], ['Alerts', number(text.alerts)], [`Alert ${text.below ? 'below' : 'above'}`, short(text.threshold)]]} />
      <p class="small soft">{sentence(text.alarm)} {sentence(text.rate)}{text.moved.length === 0 && ' The rows are like those that it was set by.'}</p>
      {text.moved.length > 0 && (
        <details>
          <summary>{plural(text.moved.length, 'input')} no longer as {text.moved.length === 1 ? 'it was' : 'they were'}</summary>
          <p class="small soft">PSI, the population stability index, compares two mixes of values: 0 if they are equal, above 0.25 if one has moved.</p>
          <ul class="stack tight small">{text.moved.map((sentence) => <li key={sentence}>{sentence}</li>)}</ul>
        </details>
      )}
      <div class="row actions"><button type="button" class="main" onClick={download}>Download scores (CSV)</button></div>
    </>
  );
}

// In the page's words, not in those of a mapping file.
function reasonOf({ reason, message }: Fault): string {
  const needed = reason === 'mapping.missing-column' && /^columns\.(\S+):/.exec(message)?.[1];
  const absent = reason === 'mapping.header' && /found "(.*)"$/.exec(message)?.[1];
  return needed ? `The task needs “${needed}”, which no column of it is known as.` : absent ? `It has no column “${absent}”, which your table has.` : message;
}

const sentence = (text: string): string => `${text.replace(/^./, (c) => c.toUpperCase())}.`;
const short = (value: number): string => new Intl.NumberFormat('en', { maximumSignificantDigits: 3 }).format(value);

function Alerts({ text }: { text: ScoreText }) {
  const [all, setAll] = useState(false);
  const few = 8;
  const most = Math.max(...text.shown.flatMap((a) => a.reasons.map((r) => Math.abs(r.amount))), 1e-9);
  return (
    <div class="stack tight">
      <ol class="stack" aria-label="Alerts">{(all ? text.shown : text.shown.slice(0, few)).map((alert) => <AlertRow key={alert.row} alert={alert} most={most} below={text.below} />)}</ol>
      {text.shown.length > few && <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Show fewer' : `Show ${text.groups > text.shown.length ? 'the strongest ' : 'all '}${number(text.shown.length)}`}</button>}
    </div>
  );
}

function AlertRow({ alert, most, below }: { alert: AlertGroup; most: number; below: boolean }) {
  const events = (e: boolean | null) => (e === null ? '' : e ? ', with the event' : ', without the event');
  return (
    <li class="stack tight" style={{ borderTop: '1px solid var(--line)', paddingTop: '16px' }}>
      <div class="row spread">
        <span class="standing bad"><Icon name="cross" /><b>Alert: row {number(alert.row)}</b></span>
        <span>{below ? 'left' : 'score'} <b>{short(alert.score)}</b>{events(alert.event)}</span>
      </div>
      <p class="small soft">{alert.alerts > 1 && `The strongest of ${number(alert.alerts)} in rows ${number(alert.first)} to ${number(alert.last)}. `}{alert.names.filter((n) => n.value !== '').map((n) => `${n.column} ${n.value}`).join(', ')}</p>
      <ul class="stack tight small">{alert.reasons.map((r) => <li key={r.text} style={{ display: 'grid', gridTemplateColumns: '64px minmax(0, 1fr)', gap: '12px', alignItems: 'center' }}><Amount share={r.amount / most} /><span>{r.text}</span></li>)}</ul>
      {alert.similar.length > 0 && <p class="small soft">Most like it in your table: {alert.similar.map((s) => `row ${number(s.row)}${events(s.event).replace(',', '')}`).join('; ')}.</p>}
    </li>
  );
}

// How much a reason counts, beside all that are shown.
function Amount({ share }: { share: number }) {
  return <svg viewBox="0 0 64 10" width="64" height="10" aria-hidden="true"><rect fill="var(--wash)" width="64" height="10" rx="3" /><rect fill="var(--accent)" width={Math.max(2, 64 * Math.min(1, Math.abs(share)))} height="10" rx="3" /></svg>;
}
