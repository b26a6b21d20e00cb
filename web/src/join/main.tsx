// The join page: invitation, agreement, data, taking part, what you get.
import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import wasm from '#wasm/entente.wasm?url';
import slices from '#wasm/slices.wasm?url';
import threadsModule from '#wasm/threads.mjs?url';
import threadsWorker from '#wasm/threads.worker.js?url';
import threadsWasm from '#wasm/threads.wasm?url';
import '../ui/style.css';
import { connect, type Fault, type Remote } from '../core/rpc.ts';
import type { FrameText, PlanText } from '../core/core.ts';
import { Chart, type Series } from '../ui/chart.tsx';
import { Draw } from '../ui/draw.tsx';
import { ago, bytes, instant, number, percent, plural, save, seconds, share, spans, tied, whole, Word, word } from '../ui/format.ts';
import { Balance, Bar, Digits, Figures, Icon, Id, Odrl, Problem, Terms, Top, type Trouble } from '../ui/parts.tsx';
import { returning } from '../ui/returning.ts';
import type { Session } from '../ui/signin.ts';
import { json, type FederationText, type SignIn } from './api.ts';
import { Receipts } from './receipts.tsx';
import type { DataCard, Notice, PartnerMethods, PartnerNews, Welcome, Withdrawn } from './partner.ts';

type Worker_ = Remote<PartnerMethods>;
type Step = 0 | 1 | 2 | 3 | 4;
const steps = ['Invitation', 'Agreement', 'Your data', 'Taking part', 'What you get'];

const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? '';

function useWorker() {
  const [news, setNews] = useState<PartnerNews>();
  const [known, setKnown] = useState<boolean>();
  const [trouble, setTrouble] = useState<Trouble>();
  const remote = useMemo(() => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    return connect<PartnerMethods, PartnerNews>(worker, setNews);
  }, []);
  useEffect(() => {
    const at = (file: string) => new URL(file, location.href).href;
    remote.load({ wasm: at(wasm), slices: at(slices), threads: { module: at(threadsModule), worker: at(threadsWorker), wasm: at(threadsWasm) } }, code).then(setKnown, (fault: Fault) => {
      setTrouble(troubleOf(fault, 'The page could not start.', 'Nothing was sent.', 'Load the page again. If it stays so, tell the operator the code below.'));
    });
    addEventListener('online', () => void remote.online());
  }, []);
  return { remote, news, known, trouble };
}

function troubleOf(fault: Fault, happened: string, safe: string, todo: string): Trouble {
  return { happened: `${happened} ${fault.message}`, safe, todo, code: fault.reason };
}

function joinTrouble(fault: Fault): Trouble {
  const ask = 'Ask the operator for a new link.';
  const known: Record<string, string> = {
    'join.unknown': 'This invitation is not known.', 'join.used': 'This invitation was used before.', 'join.expired': 'This invitation has expired.',
    'join.other-key': 'Your company has joined already, from another browser or machine.', 'join.removed': 'Your company has left or was removed.',
  };
  if (known[fault.reason]) return { happened: known[fault.reason]!, safe: 'Nothing was sent.', todo: ask, code: fault.reason };
  return troubleOf(fault, 'The invitation could not be read.', 'Nothing was sent.', fault.status === 0 ? 'Check the network, then load the page again.' : ask);
}

function App() {
  const { remote, news, known, trouble: start } = useWorker();
  const [welcome, setWelcome] = useState<Welcome>();
  const [trouble, setTrouble] = useState<Trouble>();
  const [step, setStep] = useState<Step>(0);
  const [declined, setDeclined] = useState(false);
  const [provider, setProvider] = useState<SignIn>();
  const session = useRef<Session>();

  useEffect(() => {
    if (known !== false) return;
    if (!code) {
      void signedIn().catch((fault: Fault) => setTrouble(joinTrouble(fault)));
      return;
    }
    remote.lookup(code).then(setWelcome, (fault: Fault) => setTrouble(joinTrouble(fault)));
  }, [known]);

  // Without a code: by an identity provider, where the coordinator has one.
  async function signedIn() {
    const { sign_in: at } = await json<FederationText>('federation');
    if (!at) {
      setTrouble({ happened: 'This link has no invitation code.', safe: 'Nothing was sent.', todo: 'Open the whole link that the operator sent, with everything after the # sign.', code: 'join.no-code' });
      return;
    }
    if (!returning()) {
      setProvider(at);
      return;
    }
    const { finish } = await import('../ui/signin.ts');
    session.current = await finish(at);
    setWelcome(await remote.vouched(session.current.token()));
  }

  const firstStep = news?.firstStepMs ?? null;
  useEffect(() => { if (firstStep !== null) performance.mark('first-step', { startTime: firstStep - performance.timeOrigin }); }, [firstStep]);

  const phase = news?.phase ?? 'none';
  useEffect(() => {
    if (phase === 'joined' || phase === 'elsewhere') setStep((s) => (s < 2 ? 2 : s));
    if (phase === 'running' || phase === 'paused') setStep(3);
    if (phase === 'finished') setStep(4);
  }, [phase]);

  const plan = welcome?.plan ?? news?.plan ?? null;
  const main = useRef<HTMLHeadingElement>(null);
  useEffect(() => { if (step > 0) main.current?.focus({ preventScroll: true }); scrollTo(0, 0); }, [step]);
  useEffect(() => { document.title = `${steps[step]} · Entente`; }, [step]);

  const shown = start ?? trouble;
  return (
    <>
      <Top right={plan ? `${plan.name} · ${plan.operator}` : ''} />
      <div class="wrap stack wide">
        <nav aria-label="Steps">
          <ol class="steps">
            {steps.map((name, i) => <li key={name} data-state={i < step ? 'done' : ''} aria-current={i === step ? 'step' : undefined}>{i + 1}. {name}</li>)}
          </ol>
        </nav>
        {shown && <Problem trouble={shown} />}
        {!shown && (
          <div class="cols">
            <div class="stack wide">
              {declined ? <section class="card stack"><h1>You declined.</h1><p>Nothing was sent, and nothing is kept. The invitation stays valid until it expires. You can close this page.</p></section>
                : step === 0 && provider ? <SignInStep heading={main} at={provider} />
                : step === 0 ? <InvitationStep heading={main} welcome={welcome} next={() => setStep(1)} />
                : step === 1 && plan ? <AgreementStep heading={main} plan={plan} accept={async (name) => { await remote.accept(code, name, session.current?.token()); setStep(2); }} decline={() => setDeclined(true)} />
                : step === 2 ? <DataStep heading={main} remote={remote} known={news?.data ?? null} begin={() => void remote.begin()} elsewhere={phase === 'elsewhere'} />
                : step === 3 && news ? <PartStep heading={main} news={news} remote={remote} plan={plan} />
                : step === 4 && news ? <ResultStep heading={main} news={news} remote={remote} plan={plan} /> : null}
            </div>
            <Leaves news={news} plan={plan} remote={remote} />
          </div>
        )}
      </div>
    </>
  );
}

type Heading = { heading: preact.RefObject<HTMLHeadingElement> };

function SignInStep({ heading, at }: Heading & { at: SignIn }) {
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

function InvitationStep({ heading, welcome, next }: Heading & { welcome: Welcome | undefined; next: () => void }) {
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
        <dt>What is learned</dt><dd>A model of {number(plan.parameters)} numbers that reads handwritten digits</dd>
        <dt>How long</dt><dd>{plural(plan.rounds, 'round')}, {federation.round > 1 ? `now at round ${federation.round}` : 'from the first one on'}. You can leave at any time.</dd>
        <dt>Your computer</dt><dd>One core while it trains, in the background; nothing is installed.</dd>
        <dt>What leaves it</dt><dd>Once a round, a signed update of at most {bytes(plan.update_bytes)}. Your data never does.</dd>
        <dt>What you get</dt><dd>The common model, tried on your own data, to keep.</dd>
      </dl>
      <div class="row actions"><button type="button" class="main" onClick={next}>Read the agreement</button></div>
    </section>
  );
}

function AgreementStep({ heading, plan, accept, decline }: Heading & { plan: PlanText; accept: (name: string) => Promise<void>; decline: () => void }) {
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

function DataStep({ heading, remote, known, begin, elsewhere }: Heading & { remote: Worker_; known: DataCard | null; begin: () => void; elsewhere: boolean }) {
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
  if (elsewhere) return <section class="card stack"><h1 ref={heading} tabIndex={-1}>Open in another tab</h1><p>This partner is taking part in another tab of this browser. When that one is closed, this one goes on.</p></section>;
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

function statusSentence(news: PartnerNews): string {
  const { view, status, phase } = news;
  if (phase === 'paused') return 'Paused. Nothing is computed or sent; the federation goes on without you.';
  if (phase === 'left') return 'You have left. Your key and your data were removed from this browser.';
  if (phase === 'elsewhere') return 'Another tab of this browser is taking part; this one waits.';
  if (!view) return 'Starting.';
  if (news.connection === 'lost') return `The coordinator cannot be reached. Nothing is lost; the next try is in ${seconds(Math.max(0.5, (news.retryAt - Date.now()) / 1000))}.`;
  const round = `Round ${view.round || status?.round || 1} of ${view.rounds}.`;
  if (view.stage === 'training') return `${round} Training on your ${number(view.train_rows)} digits, ${percent(view.progress, 0)} done${news.secondsLeft > 1 ? `, about ${seconds(news.secondsLeft)} left` : ''}.`;
  if (view.activity === 'training') return `${round} The common model is tried on ${number(view.score_rows)} of the digits that you hold out.`;
  if (view.activity === 'fetching') return `${round} The common model is being fetched.`;
  if (view.activity === 'delivering') return `${round} Your update is being sent.`;
  if (view.activity === 'awaiting-receipt') {
    if (!status || status.expected === 0) return `${round} Your update is delivered. The round closes when the others have delivered.`;
    const left = Math.max(0, (status.deadline_ms - Date.now()) / 1000);
    const rest = status.expected - status.delivered;
    return `${round} ${Word(status.delivered)} of ${word(status.expected)} partners have delivered; it closes when ${rest === 1 ? 'the last' : 'the others'} ${rest === 1 ? 'has' : 'have'}${left > 0 && left < 86400 ? `, or in ${seconds(left)}` : ''}.`;
  }
  if (view.activity === 'finished') return view.stage.includes('alone') ? 'The last round is done. For comparison, a model of your data alone is trained for as many rounds.' : 'The last round is done. The final model is tried on all the digits that you hold out.';
  if (!view.model_agreement || !view.update_agreement) return 'The agreements are being signed. Training begins with the next round.';
  return status?.phase === 'waiting' ? `${tied(status.sentence) || 'Waiting for enough partners.'} You need do nothing: training begins by itself.` : `${round} Waiting for the common model.`;
}

function curves(news: PartnerNews): Series[] {
  const points = news.points;
  // Together after round r is the model that round r + 1 begins with.
  const federated = points.filter((p) => p.federated !== null && p.round > 1).map((p): [number, number | null] => [p.round - 1, p.federated]);
  const alone = points.map((p): [number, number | null] => [p.round, p.alone]);
  const rounds = news.view?.rounds ?? points.length;
  if (news.final) federated.push([rounds, news.final.together]);
  if (news.final?.alone != null) alone.splice(-1, 1, [alone.at(-1)?.[0] ?? rounds, news.final.alone]);
  return [
    { label: 'alone', tone: 'grey', points: alone },
    { label: 'together', tone: 'accent', points: federated },
  ];
}

const span = (min: number): [number, number] => [Math.max(0, Math.floor(min * 20 - 0.2) / 20), 1];

function Quality({ news }: { news: PartnerNews }) {
  const series = useMemo(() => curves(news), [JSON.stringify(news.points), JSON.stringify(news.final)]);
  return (
    <section class="card stack" aria-labelledby="quality">
      <h2 id="quality">Your held-out digits read correctly</h2>
      <Chart title="Share of your held-out digits read correctly: alone and together, by round" series={series} x="Round" xMax={news.view?.rounds ?? 10} format={share} range={span} empty="Both lines begin when the first round is done." />
    </section>
  );
}

function refusedTrouble({ kind, round, code, sentence }: Notice): Trouble {
  if (kind === 'abandoned') return { happened: sentence, safe: 'Your data and your part of it are untouched.', todo: 'The round is tried again with the same model; nothing to do here.', code };
  const todo = 'Nothing: your machine goes on with the next round by itself.';
  if (code === 'update.late') return { happened: `Your update for round ${round} came when that round had closed.`, safe: 'Nothing of it was used, and nothing is wrong with your data.', todo, code };
  return { happened: `Your update for round ${round} was refused: ${sentence.replace(/\.$/, '')}.`, safe: 'Nothing of it was used.', todo, code };
}

function PartStep({ heading, news, remote, plan }: Heading & { news: PartnerNews; remote: Worker_; plan: PlanText | null }) {
  const [asking, setAsking] = useState<'leave' | 'key'>();
  const [trouble, setTrouble] = useState<Trouble>();
  const { view } = news;
  const spoken = useSpoken(statusSentence(news), `${news.phase} ${news.connection} ${news.refused?.round}`);
  useEverySecond();
  const mine = news.status?.participants.find((p) => p.id === news.participant);
  const up = news.crossings.filter((c) => c.outgoing).reduce((sum, c) => sum + c.size, 0);
  const down = news.crossings.filter((c) => !c.outgoing).reduce((sum, c) => sum + c.size, 0);
  const rounds = view?.rounds ?? plan?.rounds ?? 1;
  const losses = useMemo((): Series[] => [{ label: 'loss', tone: 'accent', points: news.losses }], [news.losses.length, news.losses.at(-1)?.[1]]);
  async function leave() {
    await remote.leave().catch((fault: Fault) => setTrouble(troubleOf(fault, 'The coordinator was not told that you leave.', 'Nothing is computed or sent any more.', 'Press Leave again when the network is back, or close this page: nobody waits for you.')));
    setAsking(undefined);
  }
  // A change of the key that has begun is ended first.
  async function goOn(start: () => Promise<void>) {
    setTrouble(undefined);
    setAsking(undefined);
    await start().catch((fault: Fault) => setTrouble(troubleOf(fault, 'The coordinator has not confirmed the new key.', 'Both keys are kept in this browser, and nothing is sent meanwhile.', 'Press Resume when the network is back.')));
  }
  const away = news.phase === 'left';
  return (
    <>
      <section class="card stack">
        <h1 ref={heading} tabIndex={-1} class="vh">Taking part</h1>
        <p class="sentence" id="sentence">{statusSentence(news)}</p>
        <span class="vh" role="status">{spoken}</span>
        <Bar label="Rounds done" value={Math.min(1, Math.max(0, (view?.round ?? 1) - 1 + (view?.activity === 'training' ? view.progress : view?.activity === 'awaiting-receipt' ? 1 : 0)) / rounds)} />
        <Figures values={[
          ['Examples a second', news.examplesPerSecond > 0 ? number(Math.round(news.examplesPerSecond)) : '–'],
          ['Contributions', number(Math.max(view?.contributions ?? 0, mine?.contributions ?? 0))],
          ['Sent', bytes(up)],
          ['Received', bytes(down)],
        ]} />
        {news.phase === 'failed' && <Problem trouble={{ happened: `Taking part has ended: ${news.failure?.sentence}`, safe: 'Your data is still here and was not sent.', todo: 'Tell the operator the code below, or try again.', code: news.failure?.code ?? 'unknown' }}><div><button type="button" onClick={() => location.reload()}>Try again</button></div></Problem>}
        {news.refused && news.phase !== 'failed' && <Problem trouble={refusedTrouble(news.refused)} />}
        {trouble && <Problem trouble={trouble} />}
        {news.withdrawn && <p>{leftSentence(news.withdrawn)}</p>}
        {!away && (
          <div class="row actions">
            {news.phase === 'paused' ? <button type="button" class="main" onClick={() => void goOn(() => remote.resume())}>Resume</button> : <button type="button" onClick={() => void remote.pause()} disabled={news.phase !== 'running'}>Pause</button>}
            {asking === 'key' ? (
              <>
                <span>Another key in place of yours? What was counted stays; new agreements are signed with it.</span>
                <button type="button" onClick={() => void goOn(() => remote.renewKey())}>Take a new key</button>
                <button type="button" onClick={() => setAsking(undefined)}>Keep it</button>
              </>
            ) : asking === 'leave' ? (
              <>
                <span>Leave for good? The updates that were counted stay in the model.</span>
                <button type="button" onClick={() => void leave()}>Leave</button>
                <button type="button" onClick={() => setAsking(undefined)}>Stay</button>
              </>
            ) : <><button type="button" onClick={() => setAsking('key')}>New key</button><button type="button" onClick={() => setAsking('leave')}>Leave</button></>}
          </div>
        )}
        {news.phase === 'running' && <p class="small soft" id="threads" data-kind={news.threadKind}>This computer trains on {plural(news.threads, 'thread')}.</p>}
        {!away && <p class="small soft">You may close this tab or shut the lid: the federation does not wait for you, and the page goes on from here when you come back.</p>}
      </section>
      <Quality news={news} />
      <Receipts news={news} remote={remote} />
      <section class="card stack" aria-labelledby="loss">
        <h2 id="loss">Training loss on this computer</h2>
        <Chart title="Training loss" series={losses} x="Training step" height={180} empty="It is drawn as soon as this computer trains."  format={(v) => v.toFixed(2)} range={(_min, max) => [0, Math.max(0.5, max)]} />
      </section>
    </>
  );
}

function leftSentence({ rounds, deleted, counting }: Withdrawn): string {
  const models = rounds.length > 0 ? `Your updates are in the models of ${rounds.length === 1 ? 'round' : 'rounds'} ${spans(rounds)}, and stay in them.` : 'No model has an update of yours in it.';
  const gone = deleted.length > 0 ? ` Your updates themselves are stored no more; the ledger says so for ${deleted.length === 1 ? 'round' : 'rounds'} ${spans(deleted)}.` : '';
  return models + gone + (counting > 0 ? ` That of round ${counting} is deleted when the round ends.` : '');
}

const spoken_ms = 15_000;

// What a screen reader is told of the sentence: a change of state at once, the progress now and then, no countdowns.
function useSpoken(sentence: string, state: string): string {
  const [spoken, setSpoken] = useState('');
  const latest = useRef('');
  latest.current = sentence.replace(/, \d+\s% done.*$/, '.').replace(/; the next try .*$/, '; this page tries again by itself.').replace(/, or in [^.]*\./, '.');
  useEffect(() => setSpoken(latest.current), [state]);
  useEffect(() => {
    const timer = setInterval(() => setSpoken(latest.current), spoken_ms);
    return () => clearInterval(timer);
  }, []);
  return spoken;
}

// Times such as "12 s ago" and countdowns go on when nothing else changes.
function useEverySecond(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}

function ResultStep({ heading, news, remote, plan }: Heading & { news: PartnerNews; remote: Worker_; plan: PlanText | null }) {
  const together = news.final?.together ?? null;
  const alone = news.final?.alone ?? news.points.findLast((p) => p.alone !== null)?.alone ?? null;
  const counted = news.crossings.filter((c) => c.outgoing).length;
  const record = () => JSON.stringify({ federation: plan?.federation, plan: plan?.digest, participant: news.participant, accepted_by: news.acceptedBy, crossings: news.crossings }, null, 2);
  return (
    <>
      <section class="card stack wide">
        <div class="stack tight">
          <h1 ref={heading} tabIndex={-1}>The model is done</h1>
          <p id="sentence">
            Digits read correctly among those you held out: <b>{percent(alone)}</b> with your data alone, <b>{percent(together)}</b> together.
          </p>
        </div>
        <Figures values={[['Alone', percent(alone)], ['Together', percent(together)], ['Your updates', number(counted)]]} />
        <div class="row actions">
          <button type="button" class="main" onClick={() => void remote.safetensors().then((file) => save(`${plan?.federation ?? 'model'}.safetensors`, file, 'application/octet-stream'))}>Take the model (safetensors)</button>
          <button type="button" onClick={() => save(`${plan?.federation ?? 'entente'}-usage.json`, record(), 'application/json')}>Usage record</button>
        </div>
      </section>
      <section class="card stack" aria-labelledby="try">
        <h2 id="try">Try it: draw a digit</h2>
        <Draw predict={(pixels) => remote.predict(pixels, 'federated')} version={news.phase} />
      </section>
      <Quality news={news} />
      <Receipts news={news} remote={remote} />
    </>
  );
}

// Always there: each thing that was sent, when, how large, under which agreement.
function Leaves({ news, plan, remote }: { news: PartnerNews | undefined; plan: PlanText | null; remote: Worker_ }) {
  const [all, setAll] = useState(false);
  const [shown, setShown] = useState<{ frame: FrameText; bytes: Uint8Array<ArrayBuffer> } | null>(null);
  const crossings = [...(news?.crossings ?? [])].reverse();
  const out = crossings.filter((c) => c.outgoing);
  const listed = all ? crossings : crossings.slice(0, 8);
  return (
    <aside class="card stack" aria-labelledby="leaves">
      <h2 id="leaves">What leaves this computer</h2>
      {out.length === 0 && <p>{news && news.phase !== 'none' ? 'Your name, your public key and your acceptance. Nothing else yet.' : 'Nothing yet.'}</p>}
      {plan && <p class="small soft">Sent each round: one update of {number(plan.parameters)} integers of {plan.update_bits} bits, signed with your key. Not masked: the operator could look at it. Your digits stay here.</p>}
      {listed.length > 0 && (
        <ul class="leaves">
          {listed.map((c) => (
            <li key={`${c.at}${c.outgoing}`} class={c.outgoing ? '' : 'in'}>
              <Icon name={c.outgoing ? 'up' : 'down'} />
              <span>{c.outgoing ? `Update of round ${c.round}` : c.final ? 'Final model' : c.round ? `Model of round ${c.round}` : 'Model'}</span>
              <span class="num">{bytes(c.size)}</span>
              <span class="under"><time title={instant(c.at)}>{ago(c.at)}</time>, under <Id value={c.agreement} /></span>
            </li>
          ))}
        </ul>
      )}
      {crossings.length > 8 && <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Show fewer' : `Show all ${crossings.length}`}</button>}
      {out.length > 0 && <div><button type="button" onClick={() => void remote.lastUpdate().then(setShown)}>Show the last update</button></div>}
      {shown && (
        <div class="stack tight">
          <dl class="facts small">
            <dt>Round</dt><dd>{shown.frame.round}</dd>
            <dt>Content</dt><dd>{shown.frame.encoding}, {bytes(shown.frame.content_bytes)}; {bytes(shown.frame.envelope_bytes)} on the wire</dd>
            <dt>Examples</dt><dd>{number(shown.frame.weight)}</dd>
            <dt>Tensors</dt><dd>{shown.frame.tensors.map((t) => `${t.name} ${t.shape.join('×')}`).join(', ')}</dd>
            <dt>Also in it</dt><dd>{shown.frame.measures.map((m) => `${m.name} ${Number(m.value.toFixed(4))}`).join(', ')}</dd>
            <dt>Digest</dt><dd><Id value={shown.frame.content} /></dd>
          </dl>
          <div><button type="button" class="plain" onClick={() => save(`update-round-${shown.frame.round}.entente`, shown.bytes, 'application/octet-stream')}>Download it</button></div>
        </div>
      )}
    </aside>
  );
}

render(<App />, document.getElementById('app')!);
