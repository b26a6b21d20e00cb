// Before training: invitation, agreement, data.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PlanText } from '../core/core.ts';
import type { Fault } from '../core/rpc.ts';
import { bytes, number, plural, save, whole } from '../ui/format.ts';
import { Balance, Digits, Figures, Icon, Id, Odrl, Problem, Terms, type Trouble } from '../ui/parts.tsx';
import type { SignIn } from './api.ts';
import type { DataCard, PartnerNews, Welcome } from './partner.ts';
import { joinTrouble, troubleOf, type Heading, type PartnerRemote } from './steps.ts';

export function SignInStep({ heading, at }: Heading & { at: SignIn }) {
  const [trouble, setTrouble] = useState<Trouble>();
  const go = async () => (await import('../ui/signin.ts')).begin(at).catch((fault: Fault) => setTrouble(troubleOf(fault, 'You could not be signed in.', 'Nothing was sent.', 'Try again, or tell the operator.')));
  return (
    <section class="card stack wide">
      <div class="stack tight">
        <h1 ref={heading} tabIndex={-1}>Sign in for your company</h1>
        <p>With your company’s account you take part without an invitation code. Or open the whole link that the operator sent.</p>
      </div>
      {trouble && <Problem trouble={trouble} />}
      <div class="row actions"><button type="button" class="main" onClick={() => void go()}>Sign in</button><span class="small soft">at <span class="mono">{new URL(at.issuer).host}</span></span></div>
    </section>
  );
}

export function InvitationStep({ heading, welcome, next }: Heading & { welcome: Welcome | undefined; next: () => void }) {
  if (!welcome) return <section class="card"><h1 ref={heading} tabIndex={-1}>Reading the invitation</h1><p class="soft">The federation’s plan is fetched and its signature checked.</p></section>;
  const { federation, plan, invitation } = welcome;
  const others = federation.participants.filter((p) => p.name !== invitation.name).map((p) => p.name);
  return (
    <section class="card stack wide">
      <div class="stack tight">
        <h1 ref={heading} tabIndex={-1}>{whole(plan.operator)} invites {whole(invitation.name)} to train a model together</h1>
        <p>{plan.purpose}</p>
      </div>
      <dl class="facts">
        <dt>Federation</dt><dd>{plan.name} <span class="mono soft">{plan.federation}</span></dd>
        <dt>Other partners</dt><dd>{others.length > 0 ? others.join(', ') : 'none has joined yet'}</dd>
        <dt>What is learned</dt><dd>{plan.table ? `${plan.table.title || plan.table.name}: a model of ${number(plan.parameters)} numbers` : `A model of ${number(plan.parameters)} numbers that reads handwritten digits`}</dd>
        <dt>How long</dt><dd>{plural(plan.rounds, 'round')}, {federation.round > 1 ? `now at round ${federation.round}` : 'from the first one on'}. You can leave at any time.</dd>
        <dt>Your computer</dt><dd>One core while it trains, in the background; nothing is installed.</dd>
        <dt>What leaves it</dt><dd>{plan.table?.shares ? 'Before training, sums of your rows, which you see first; then once' : 'Once'} a round, a signed update of at most {bytes(plan.update_bytes)}. Your data never does.</dd>
        <dt>What you get</dt><dd>The common model, tried on your own data, to keep.</dd>
      </dl>
      <div class="row actions"><button type="button" class="main" onClick={next}>Read the agreement</button></div>
    </section>
  );
}

export function AgreementStep({ heading, plan, accept, decline }: Heading & { plan: PlanText; accept: (name: string) => Promise<void>; decline: () => void }) {
  const [name, setName] = useState('');
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  const missing = useRef<HTMLInputElement>(null);
  async function submit(event: Event) {
    event.preventDefault();
    if (!name.trim()) {
      setTrouble({ happened: 'The name of who accepts is missing.', safe: 'Nothing was sent.', todo: 'Enter your name.', code: 'join.no-name' });
      missing.current?.focus();
      return;
    }
    setBusy(true);
    await accept(name.trim()).catch((fault: Fault) => setTrouble(joinTrouble(fault)));
    setBusy(false);
  }
  const text = () => [
    `${plan.name}, operated by ${plan.operator}`, `Plan ${plan.digest}`, '', 'For your updates:', ...plan.updates.terms.map((t) => `- ${t.sentence}${t.enforced ? ' (enforced by this software)' : ' (refused)'}`),
    '', 'For the model that you receive:', ...plan.model.terms.map((t) => `- ${t.sentence}${t.enforced ? ' (enforced by this software)' : ' (refused)'}`), '',
  ].join('\n');
  return (
    <form class="card stack wide" onSubmit={(e) => void submit(e)} noValidate>
      <div class="stack tight">
        <h1 ref={heading} tabIndex={-1}>The agreement</h1>
        <p>One contract each way. Both sides sign; neither can later show other terms.</p>
      </div>
      {!plan.verdict.permitted && <Problem trouble={{ happened: `This contract cannot be accepted: ${plan.verdict.sentence}`, safe: 'Nothing was sent.', todo: 'Tell the operator.', code: plan.verdict.code ?? 'policy.denied' }} />}
      <div class="grid2">
        <div class="stack"><h2>What may be done with your updates</h2><Terms terms={plan.updates.terms} /><Odrl contract={plan.updates} name={`${plan.federation}-updates`} /></div>
        <div class="stack"><h2>What you may do with the model</h2><Terms terms={plan.model.terms} /><Odrl contract={plan.model} name={`${plan.federation}-model`} /></div>
      </div>
      <div class="row small"><span class="soft">Plan</span><Id value={plan.digest} /><button type="button" class="plain" onClick={() => save(`${plan.federation}-agreement.txt`, text(), 'text/plain')}>Download the agreement</button></div>
      <hr />
      <div class="stack tight">
        <label for="who">Accepted by</label>
        <input id="who" ref={missing} type="text" autocomplete="name" placeholder="First and last name" value={name} onInput={(e) => setName(e.currentTarget.value)} style={{ maxWidth: '360px' }} />
      </div>
      {trouble && <Problem trouble={trouble} />}
      <div class="row actions">
        <button type="submit" class="main" disabled={busy || !plan.verdict.permitted}>{busy ? 'Accepting' : 'Accept'}</button>
        <button type="button" onClick={decline}>Decline</button>
      </div>
    </form>
  );
}

// What reads tables is fetched when one is wanted.
function useTableStep(wanted: boolean) {
  const [Step, setStep] = useState<typeof import('./table.tsx').TableStep>();
  useEffect(() => { if (wanted) void import('./table.tsx').then((m) => setStep(() => m.TableStep)); }, [wanted]);
  return Step;
}

export function DataStep({ heading, remote, plan, news, begin, elsewhere }: Heading & { remote: PartnerRemote; plan: PlanText | null; news: PartnerNews | undefined; begin: () => void; elsewhere: boolean }) {
  const TableStep = useTableStep(plan?.table != null);
  if (elsewhere) return <section class="card stack"><h1 ref={heading} tabIndex={-1}>Open in another tab</h1><p>This partner is taking part in another tab of this browser. When that one is closed, this one goes on.</p></section>;
  if (!plan?.table) return <DigitsStep heading={heading} remote={remote} known={news?.data ?? null} begin={begin} />;
  return TableStep ? <TableStep heading={heading} remote={remote} task={plan.table} card={news?.table ?? null} begin={begin} /> : <section class="card"><h1 ref={heading} tabIndex={-1}>Your data</h1></section>;
}

function DigitsStep({ heading, remote, known, begin }: Heading & { remote: PartnerRemote; known: DataCard | null; begin: () => void }) {
  const [trouble, setTrouble] = useState<Trouble>();
  const [busy, setBusy] = useState('');
  const [over, setOver] = useState(false);
  const file = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  async function take(what: string, work: Promise<DataCard>) {
    setBusy(what);
    setTrouble(undefined);
    await work.catch((fault: Fault) => setTrouble(
      fault.reason === 'http.404' || (what === 'sample' && fault.status === 404)
        ? { happened: 'This coordinator has no sample share.', safe: 'Nothing was sent.', todo: 'Drop your own files instead.', code: 'sample.none' }
        : troubleOf(fault, what === 'sample' ? 'The sample could not be fetched.' : 'These files could not be read.', 'They were not uploaded.', 'Take the images and labels files of one set, in the IDX format of MNIST, gzipped or not.'),
    ));
    setBusy('');
  }
  const files = (list: Iterable<File>) => void take('files', remote.files([...list]));
  return (
    <section class="card stack wide">
      <div class="stack tight">
        <h1 ref={heading} tabIndex={-1}>Your data</h1>
        <p>Handwritten digits: an IDX file with images and one with labels.</p>
      </div>
      <p class="note"><Icon name="home" /><span>This file is read here and is not uploaded.</span></p>
      {!known && (
        <div class={`drop ${over ? 'over' : ''}`} onDragOver={(e) => { e.preventDefault(); setOver(true); }} onDragLeave={() => setOver(false)}
          onDrop={(e) => { e.preventDefault(); setOver(false); void dropped(e).then(files); }}>
          <p><b>Drop the files or their folder here</b><br /><span class="soft">gzipped or not; test files too, if you have them</span></p>
          <div class="row actions" style={{ justifyContent: 'center' }}>
            <button type="button" onClick={() => file.current!.click()}>Choose files</button>
            <button type="button" onClick={() => folder.current!.click()}>Choose a folder</button>
            <button type="button" disabled={busy !== ''} onClick={() => void take('sample', remote.sample())}>{busy === 'sample' ? 'Fetching the sample' : 'Use the sample share'}</button>
          </div>
          <input ref={file} type="file" multiple hidden aria-label="Files" onChange={(e) => files(e.currentTarget.files ?? [])} />
          <input ref={(el) => { folder.current = el; el?.setAttribute('webkitdirectory', ''); }} type="file" hidden aria-label="Folder" onChange={(e) => files(e.currentTarget.files ?? [])} />
        </div>
      )}
      {busy === 'files' && <p role="status">Reading the files.</p>}
      {trouble && <Problem trouble={trouble} />}
      {known && (
        <>
          <div class="row spread"><span class="mono">{known.name}</span><button type="button" onClick={() => void remote.clearData()}>Take it away again</button></div>
          <Figures values={[['Digits', number(known.rows)], ['Size', known.shape.slice(0, 2).join(' × ')], ['To train on', number(known.test_rows === Math.floor(known.rows / 10) ? known.rows - known.test_rows : known.rows)], ['Held out to judge', number(known.test_rows)]]} />
          <Columns data={known} />
          <div class="row actions"><button type="button" class="main" onClick={begin}>Take part</button></div>
        </>
      )}
    </section>
  );
}

// The files that were dropped, and those in dropped folders.
async function dropped(event: DragEvent): Promise<File[]> {
  const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
  return (await Promise.all(entries.map((entry) => (entry ? filesOf(entry) : [])))).flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject))];
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: File[] = [];
  for (;;) {
    // It answers with a hundred at most each time, at the end with none.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return found;
    for (const inside of some) found.push(...(await filesOf(inside)));
  }
}

function Columns({ data }: { data: DataCard }) {
  return (
    <div class="grid2">
      <div class="stack tight"><h2>Examples of each digit</h2><Balance counts={data.balance} /></div>
      <div class="stack tight"><h2>Ten of them</h2><Digits previews={data.preview} /></div>
    </div>
  );
}
