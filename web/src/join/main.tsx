// The join page: invitation, agreement, data, taking part, what you get.
import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import wasm from '#wasm/entente.wasm?url';
import slices from '#wasm/slices.wasm?url';
import table from '#wasm/table.wasm?url';
import threadsModule from '#wasm/threads.mjs?url';
import threadsWorker from '#wasm/threads.worker.js?url';
import threadsWasm from '#wasm/threads.wasm?url';
import '../ui/style.css';
import { connect, type Fault } from '../core/rpc.ts';
import type { FrameText, PlanText } from '../core/core.ts';
import { ago, bytes, instant, number, save } from '../ui/format.ts';
import { Icon, Id, Problem, Top, type Trouble } from '../ui/parts.tsx';
import { returning } from '../ui/returning.ts';
import type { Session } from '../ui/signin.ts';
import { json, type FederationText, type SignIn } from './api.ts';
import { AgreementStep, DataStep, InvitationStep, SignInStep } from './begin.tsx';
import { PartStep, type Later } from './part.tsx';
import type { PartnerMethods, PartnerNews, Welcome } from './partner.ts';
import { joinTrouble, troubleOf, type PartnerRemote } from './steps.ts';

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
    remote.load({ wasm: at(wasm), slices: at(slices), table: at(table), threads: { module: at(threadsModule), worker: at(threadsWorker), wasm: at(threadsWasm) } }, code).then(setKnown, (fault: Fault) => {
      setTrouble(troubleOf(fault, 'The page could not start.', 'Nothing was sent.', 'Load the page again. If it stays so, tell the operator the code below.'));
    });
    addEventListener('online', () => void remote.online());
  }, []);
  return { remote, news, known, trouble };
}

// Charts, drawing, receipts.
function useLater(wanted: boolean): Later | undefined {
  const [later, setLater] = useState<Later>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (wanted && !later) import('./later.tsx').then(setLater, () => setTimeout(() => setAttempt((n) => n + 1), 5000));
  }, [wanted, attempt]);
  return later;
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
  const later = useLater(firstStep !== null || (step >= 3 && (phase !== 'running' || news!.points.length > 0)));
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
                : step === 2 ? <DataStep heading={main} remote={remote} plan={plan} news={news} begin={() => void remote.begin()} elsewhere={phase === 'elsewhere'} />
                : step === 3 && news ? <PartStep heading={main} news={news} remote={remote} plan={plan} later={later} />
                : step === 4 && news && later ? <later.ResultStep heading={main} news={news} remote={remote} plan={plan} /> : null}
            </div>
            <Leaves news={news} plan={plan} remote={remote} />
          </div>
        )}
      </div>
    </>
  );
}

// Always there: each thing that was sent, when, how large, under which agreement.
function Leaves({ news, plan, remote }: { news: PartnerNews | undefined; plan: PlanText | null; remote: PartnerRemote }) {
  const [all, setAll] = useState(false);
  const [shown, setShown] = useState<{ frame: FrameText; bytes: Uint8Array<ArrayBuffer> } | null>(null);
  const crossings = [...(news?.crossings ?? [])].reverse();
  const out = crossings.filter((c) => c.outgoing);
  const listed = all ? crossings : crossings.slice(0, 8);
  return (
    <aside class="card stack" aria-labelledby="leaves">
      <h2 id="leaves">What leaves this computer</h2>
      {out.length === 0 && <p>{news && news.phase !== 'none' ? 'Your name, your public key and your acceptance. Nothing else yet.' : 'Nothing yet.'}</p>}
      {plan && <p class="small soft">Sent each round: one update of {number(plan.parameters)} integers of {plan.update_bits} bits, signed with your key. Not masked: the operator could look at it. {plan.table?.shares && 'The first one are the sums of your rows that you see with your data. '}Your {plan.table ? 'rows' : 'digits'} stay here.</p>}
      {listed.length > 0 && (
        <ul class="leaves">
          {listed.map((c) => (
            <li key={`${c.at}${c.outgoing}`} class={c.outgoing ? '' : 'in'}>
              <Icon name={c.outgoing ? 'up' : 'down'} />
              <span>{c.sums ? 'Sums of your rows' : c.outgoing ? `Update of round ${c.round}` : c.final ? 'Final model' : c.round ? `Model of round ${c.round}` : 'Model'}</span>
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
