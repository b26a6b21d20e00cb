// A partner's table: dropped, looked at, mapped to the task's columns, and what it will be used for. Fetched by those who bring one.
import { useRef, useState } from 'preact/hooks';
import type { TableMapping, TableText, TaskText } from '../core/core.ts';
import type { Fault } from '../core/rpc.ts';
import { number, percent, plural } from '../ui/format.ts';
import { Figures, Icon, Problem, type Trouble } from '../ui/parts.tsx';
import type { TableCard } from './partner.ts';
import type { Heading, PartnerRemote } from './steps.ts';

interface Properties extends Heading {
  remote: PartnerRemote;
  task: TaskText;
  card: TableCard | null;
  begin: () => void;
}

const delimiters: Record<string, string> = { ',': 'commas', ';': 'semicolons', '\t': 'tabs', ' ': 'blanks' };
const rounded = (value: number): string => (value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(2) : new Intl.NumberFormat('en', { maximumSignificantDigits: 4 }).format(value));

export function TableStep({ heading, remote, task, card, begin }: Properties) {
  const [busy, setBusy] = useState(false);
  const [over, setOver] = useState(false);
  const [fault, setFault] = useState<Fault>();
  const input = useRef<HTMLInputElement>(null);
  async function during(work: Promise<unknown>) {
    setBusy(true);
    setFault(undefined);
    await work.catch(setFault);
    setBusy(false);
  }
  const take = (file: File | undefined) => file && void during(remote.table(file));
  return (
    <section class="card stack wide">
      <div class="stack tight">
        <h1 ref={heading} tabIndex={-1}>Your data</h1>
        <p>{task.title || task.name}: a table with a row for each case, as CSV.</p>
      </div>
      <p class="note"><Icon name="home" /><span>This file is read here and is not uploaded.</span></p>
      {!card && (
        <div class={`drop ${over ? 'over' : ''}`} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
          onDrop={(e) => { e.preventDefault(); setOver(false); take(e.dataTransfer?.files[0]); }}>
          <p><b>Drop the table here</b><br /><span class="soft">as your systems export it: any delimiter, decimal comma, dates of several kinds</span></p>
          <div class="row actions" style={{ justifyContent: 'center' }}><button type="button" onClick={() => input.current!.click()}>Choose a file</button></div>
          <input ref={input} type="file" hidden aria-label="Table" onChange={(e) => take(e.currentTarget.files?.[0])} />
        </div>
      )}
      {busy && <p role="status">Reading the table.</p>}
      {fault && <Problem trouble={{ happened: `This file could not be read. ${fault.message}`, safe: 'It was not uploaded.', todo: 'Take a table as CSV, gzipped or not.', code: fault.reason }} />}
      {card && (
        <>
          <div class="row spread"><span class="mono">{card.name}</span><button type="button" onClick={() => void remote.clearData()}>Take it away again</button></div>
          <Beginning card={card} />
          <Mapping key={card.name} task={task} card={card} change={(mapping) => void during(remote.remap(mapping))} />
          {card.trouble && <Problem trouble={unusable(card.trouble)} />}
          {card.text && (
            <>
              <Use text={card.text} />
              <Given text={card.text} />
              <div class="row actions"><button type="button" class="main" disabled={busy} onClick={begin}>Take part</button></div>
            </>
          )}
        </>
      )}
    </section>
  );
}

// A column that the task needs and nobody has named is asked for in the page's words, not in those of a mapping file.
function unusable({ code, sentence }: { code: string; sentence: string }): Trouble {
  const needed = code === 'mapping.missing-column' && /^columns\.(\S+):/.exec(sentence)?.[1];
  if (needed) return { happened: `The task needs “${needed}”: choose above which of your columns that is.`, safe: 'Nothing was sent.', todo: 'A file without it cannot take part in this task.', code };
  return { happened: `The table cannot be used so: ${sentence}.`, safe: 'Nothing was sent.', todo: 'Choose another column above, or mend the file and drop it again.', code };
}

function Beginning({ card: { look } }: { card: TableCard }) {
  return (
    <details>
      <summary>The first {plural(look.rows.length, 'row')}, {plural(look.headers.length, 'column')}</summary>
      <div class="table" tabIndex={0} role="region" aria-label="The first rows">
        <table>
          <thead><tr>{look.headers.map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
          <tbody>{look.rows.map((row, i) => <tr key={i}>{row.map((cell, j) => <td key={j}>{cell}</td>)}</tr>)}</tbody>
        </table>
      </div>
    </details>
  );
}

function Mapping({ task, card, change }: { task: TaskText; card: TableCard; change: (mapping: TableMapping) => void }) {
  const columns = task.columns.filter((c) => c.role !== 'forbidden');
  const { guesses, headers } = card.look;
  const chosen = (name: string) => card.mapping.columns.find((c) => c.column === name);
  function set(name: string, part: { from?: string; unit?: string }) {
    const before = chosen(name);
    const from = part.from ?? before?.from ?? guesses[name] ?? '';
    const unit = part.unit ?? before?.unit ?? '';
    const rest = card.mapping.columns.filter((c) => c.column !== name);
    const said = from !== '' && (from !== guesses[name] || unit !== '');
    change({ ...card.mapping, columns: said ? [...rest, { column: name, from, ...(unit && { unit }) }] : rest });
  }
  const read = new Map(card.text?.columns.map((c) => [c.column, c]));
  return (
    <div class="stack tight">
      <h2>Which of your columns is what</h2>
      <div class="table" tabIndex={0} role="region" aria-label="Columns">
        <table>
          <thead><tr><th scope="col">The task’s</th><th scope="col">Yours</th><th scope="col">Missing</th><th scope="col">Values</th></tr></thead>
          <tbody>
            {columns.map((c) => {
              const report = read.get(c.name);
              const from = chosen(c.name)?.from ?? guesses[c.name] ?? '';
              return (
                <tr key={c.name}>
                  <th scope="row">{c.name}{c.optional ? <span class="soft"> if you have it</span> : ''}</th>
                  <td>
                    <select aria-label={`Your column for ${c.name}`} value={from} onChange={(e) => set(c.name, { from: e.currentTarget.value })}>
                      {!guesses[c.name] && <option value="">{c.optional ? 'none' : 'choose'}</option>}
                      {headers.map((h) => <option key={h} value={h}>{h}</option>)}
                    </select>
                    {c.unit && from && <input type="text" style={{ display: 'block', width: '112px', marginTop: '8px' }} aria-label={`Unit of your ${c.name}`} placeholder={c.unit} value={chosen(c.name)?.unit ?? ''} onChange={(e) => set(c.name, { unit: e.currentTarget.value.trim() })} />}
                  </td>
                  <td>{report?.header ? number(report.missing) : ''}</td>
                  <td>{report?.header ? values(report) : ''}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <div class="row small">
        <label>Dates like 3/4/2020 mean{' '}
          <select value={card.mapping.dates ?? ''} onChange={(e) => change({ ...card.mapping, dates: (e.currentTarget.value || undefined) as TableMapping['dates'] })}>
            <option value="">nothing: there are none</option><option value="day-first">3 April</option><option value="month-first">4 March</option>
          </select>
        </label>
        <label>Decimals are written with{' '}
          <select value={card.mapping.decimal ?? ''} onChange={(e) => change({ ...card.mapping, decimal: (e.currentTarget.value || undefined) as TableMapping['decimal'] })}>
            <option value="">what is guessed</option><option value=".">a point</option><option value=",">a comma</option>
          </select>
        </label>
      </div>
    </div>
  );
}

function values(c: TableText['columns'][number]): string {
  if (c.first !== undefined) return `${c.first} to ${c.last}`;
  if (c.mean !== undefined) return `${rounded(c.least!)} to ${rounded(c.most!)}${c.unit ? ` ${c.unit}` : ''}, mean ${rounded(c.mean)}${c.from_unit !== c.unit ? `, from ${c.from_unit}` : ''}`;
  if (c.distinct !== undefined) return `${number(c.distinct)} different${c.frequent ? `, most often ${c.frequent}` : ''}`;
  return '';
}

function Use({ text }: { text: TableText }) {
  const late = text.unused.filter((u) => u.why !== '');
  const unused = text.unused.filter((u) => u.why === '');
  const marked = text.columns.filter((c) => c.remark);
  return (
    <div class="stack tight">
      <h2>What will be used</h2>
      <Figures values={[
        ['Rows', number(text.rows)],
        ['To train on', number(text.train.examples)],
        ...(text.train.positive === undefined ? [] : [['With the event', percent(text.train.positive / text.train.examples)] as [string, string]]),
        ['Only to judge', number(text.test.examples)],
      ]} />
      <p class="small soft">
        Separated by {delimiters[text.delimiter] ?? text.delimiter}, decimal {text.decimal === ',' ? 'comma' : 'point'}, {text.encoding}; {number(text.inputs)} numbers an example.
        {text.without_label > 0 && ` ${plural(text.without_label, 'row')} without a label or a time ${text.without_label === 1 ? 'is' : 'are'} left out.`}
        {text.duplicate_ids > 0 && ` ${plural(text.duplicate_ids, 'row')} repeat${text.duplicate_ids === 1 ? 's' : ''} the id of another.`}
        {unused.length > 0 && ` Not used: ${unused.map((u) => u.header).join(', ')}.`}
      </p>
      {late.map((u) => <p key={u.header} class="small">Left out: <b>{u.header}</b>, because {u.why}.</p>)}
      {marked.map((c) => <p key={c.column} class="small">{c.outside > 0 ? `${plural(c.outside, 'cell')} of ${c.column} outside the range count as missing: ${c.remark}.` : `${plural(c.unknown, 'cell')} of ${c.column} of kinds that the task does not list count as “other”, first ${c.remark}.`}</p>)}
    </div>
  );
}

function Given({ text: { given } }: { text: TableText }) {
  if (!given) return null;
  return (
    <div class="stack tight">
      <h2>What you give once, before training</h2>
      <p class="small">So that all partners scale alike, the first round adds up sums over the {number(given.rows)} rows that you train on{given.positive > 0 ? `, ${number(given.positive)} of them with the event` : ''}{given.regimes ? '; the same of each regime' : ''}. They say this, and nothing of a single row:</p>
      <details>
        <summary>{plural(given.numbers.length, 'number')}: rows, mean, deviation</summary>
        <div class="table" tabIndex={0} role="region" aria-label="What you give">
          <table>
            <thead><tr><th scope="col">Number</th><th scope="col">Rows</th><th scope="col">Mean</th><th scope="col">Deviation</th></tr></thead>
            <tbody>{given.numbers.map((n) => <tr key={n.name}><th scope="row">{n.name}</th><td>{number(n.rows)}</td><td>{rounded(n.mean)}</td><td>{rounded(n.deviation)}</td></tr>)}</tbody>
          </table>
        </div>
      </details>
    </div>
  );
}
