// The offline demo: a whole federation inside one file.
import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import '../ui/style.css';
import type { Preview } from '../core/core.ts';
import type { AgreementText, DemoRound, DemoScores, DemoSetting, LedgerEntry } from '../core/demo.ts';
import type { Remote } from '../core/rpc.ts';
import { Chart, type Series } from '../ui/chart.tsx';
import { Draw } from '../ui/draw.tsx';
import { bytes, number, percent, plural, save, share } from '../ui/format.ts';
import { Bar, Icon, Id, Odrl, Problem, Standing, Terms, Top } from '../ui/parts.tsx';
import { isShare, metricLabel, metricMeaning, metricValue, shareRange } from '../ui/metrics.ts';
import type { DemoNews, Engine } from './engine.ts';
import { embeddedSample, embeddedWasm, startHost } from './host.ts';
import { stories, type Story, type StoryName } from './stories.ts';
import { Worth } from './worth.tsx';

const initial: DemoSetting = { partners: 4, shards: 2, epochs: 1, minCohort: 3, rounds: 10 };

function useEngine() {
  const [engine, setEngine] = useState<Remote<Engine>>();
  const [news, setNews] = useState<DemoNews>();
  const [preview, setPreview] = useState<Preview[]>([]);
  const [failure, setFailure] = useState('');
  const federation = useRef(0);
  // The button follows what was pressed at once; news of the federation before this one would turn it back.
  const show = (part: Partial<DemoNews>) => setNews((news) => news && { ...news, ...part });
  const create = (host: Remote<Engine>, setting: DemoSetting, story: StoryName) => {
    federation.current += 1;
    show({ running: false, ended: false });
    setFailure('');
    return host.create(setting, stories[story].files, federation.current).catch((error: Error) => setFailure(error.message));
  };
  useEffect(() => {
    void (async () => {
      const host = await startHost((news) => {
        if (news.federation === federation.current) setNews(news);
      });
      document.documentElement.dataset['host'] = host.kind;
      const loaded = await host.engine.load(embeddedWasm(), await embeddedSample());
      setPreview(loaded.preview);
      await create(host.engine, initial, 'digits');
      setEngine(() => host.engine);
    })().catch((error: Error) => setFailure(error.message));
  }, []);
  return { engine, news, preview, failure, create, show, forget: () => setNews(undefined) };
}

function App() {
  const { engine, news, preview, failure, create, show, forget } = useEngine();
  const [setting, setSetting] = useState(initial);
  const [name, setName] = useState<StoryName>('digits');
  const story = stories[name];
  const [started, setStarted] = useState(false);
  const next = useRef(0);

  async function change(part: Partial<DemoSetting>) {
    const wanted = { ...setting, ...part };
    setSetting(wanted);
    setStarted(false);
    if (engine) await create(engine, wanted, name);
  }
  async function choose(wanted: StoryName) {
    const epochs = { ...setting, epochs: stories[wanted].epochs };
    setName(wanted);
    setSetting(epochs);
    setStarted(false);
    forget();
    if (engine) await create(engine, epochs, wanted);
  }
  async function press() {
    if (!engine || !news) return;
    if (news.running) {
      show({ running: false });
      return engine.pause();
    }
    if (news.ended) await create(engine, setting, name);
    if (!started) performance.mark('start');
    setStarted(true);
    show({ running: true });
    await engine.run();
  }
  const refused = news?.ledger.findLast((e) => e.kind === 'round.abandoned');
  const stuck = news !== undefined && news.ended && !news.view.finished;

  return (
    <>
      <Top right="Everything here runs in this page, without network" />
      <div class="wrap stack wide">
        <div class="stack">
          <h1>{setting.partners} companies train one model. Their data stays with them.</h1>
          <Chooser chosen={name} choose={(wanted) => void choose(wanted)} disabled={!engine} />
          <div class="row">
            <button type="button" class="main" disabled={!engine || !news} onClick={() => void press()}>
              {news?.running ? 'Pause' : news?.ended ? 'Start again' : started ? 'Go on' : 'Start'}
            </button>
            <p role="status" id="sentence">{failure ? '' : sentence(news, started, story)}</p>
          </div>
          {(failure || news?.error) && (
            <Problem trouble={{ happened: failure || news!.error!, safe: 'Nothing left this computer.', todo: 'Load the page again, or use a current browser.', code: 'demo.failed' }} />
          )}
          {stuck && refused && (
            <Problem trouble={{ happened: `The release was refused: ${refusalOf(news.ledger)}`, safe: 'No result was published.', todo: `Lower the minimum to ${setting.partners} or add a partner.`, code: 'policy.denied' }} />
          )}
        </div>
        <div class="cols">
          <div class="stack wide">
            <Curves news={news} setting={setting} />
            {news?.scores && <Worth scores={news.scores} />}
            {!story.files && <section class="card stack" aria-labelledby="try">
              <h2 id="try">Draw a digit</h2>
              {engine && (
                <Draw
                  predict={(pixels) => engine.predict(pixels)}
                  version={news?.view.completed}
                  sample={async () => preview[next.current++ % Math.max(preview.length, 1)]}
                />
              )}
              {news?.view.completed === 0 && <p class="small soft">The model is untrained: press start first.</p>}
            </section>}
          </div>
          <div class="stack wide">
            <Partners news={news} story={story} />
            <Knobs setting={setting} change={(part) => void change(part)} disabled={!engine || !news} dealt={!story.files} />
          </div>
        </div>
        <Crossed news={news} engine={engine} story={story} />
      </div>
    </>
  );
}

function Chooser({ chosen, choose, disabled }: { chosen: StoryName; choose: (wanted: StoryName) => void; disabled: boolean }) {
  return (
    <fieldset class="stack tight">
      <legend class="vh">What they learn</legend>
      <div class="choice" style={{ maxWidth: '560px' }}>
        {(Object.keys(stories) as StoryName[]).map((name) => (
          <label key={name}>
            <input class="vh" type="radio" name="story" checked={chosen === name} disabled={disabled} onChange={() => choose(name)} />
            {stories[name].label}
          </label>
        ))}
      </div>
      <p class="soft">{stories[chosen].about}</p>
    </fieldset>
  );
}

function sentence(news: DemoNews | undefined, started: boolean, story: Story): string {
  if (!news) return story.files ? 'Making the tables.' : 'Loading the sample.';
  if (news.ended) return news.view.sentence;
  if (!started) return `Ready: ${number(news.view.partners.reduce((sum, p) => sum + p.examples, 0))} ${story.rows}, dealt out below.`;
  return news.running ? news.view.sentence : `Paused. ${news.view.sentence}`;
}

function refusalOf(ledger: LedgerEntry[]): string {
  const decided = ledger.findLast((e) => e.kind.startsWith('policy') && e.permitted === false);
  return decided?.sentence || ledger.findLast((e) => e.reason)?.reason || 'a term of the contract forbids it.';
}

function Curves({ news, setting }: { news: DemoNews | undefined; setting: DemoSetting }) {
  const rounds = news?.rounds ?? [];
  if (news?.scores) return <TableCurves scores={news.scores} rounds={news.view.rounds} />;
  return <DigitCurves news={news} rounds={rounds} setting={setting} />;
}

function TableCurves({ scores, rounds }: { scores: DemoScores; rounds: number }) {
  const { name, lower } = scores.metrics[0]!;
  const line = (of: 'together' | 'alone') => scores.rounds.map((r): [number, number | null] => [r.round, r[of].at(-1)!.metrics[0] ?? null]);
  const series: Series[] = [{ label: 'alone', tone: 'grey', points: line('alone') }, { label: 'together', tone: 'accent', points: line('together') }];
  const last = scores.rounds.at(-1);
  const value = (of: 'together' | 'alone') => metricValue(name, last![of].at(-1)!.metrics[0]);
  return (
    <section class="card stack" aria-labelledby="curves">
      <header>
        <h2 id="curves">{metricLabel(name)}{lower && ', less is better'}</h2>
        {last && <span class="small"><b>{value('together')}</b> together, {value('alone')} each alone</span>}
      </header>
      <Chart title={`${metricLabel(name)} over all companies’ rows, by round`} empty="Press start: after each round you see how good they are together, and each alone." series={series} x="Round" xMax={rounds} format={(v) => metricValue(name, v)} {...(isShare(name) ? { range: shareRange } : {})} />
      <p class="small soft">{metricMeaning(name)}</p>
    </section>
  );
}

function DigitCurves({ news, rounds, setting }: { news: DemoNews | undefined; rounds: DemoRound[]; setting: DemoSetting }) {
  const series = useMemo((): Series[] => {
    const names = news?.view.partners.map((p) => p.name) ?? [];
    const alone = names.map((name, i): Series => ({
      label: `${name} alone`, tone: 'grey', labelled: false, points: rounds.map((r) => [r.round, r.alone[i] ?? null]),
    }));
    const best = rounds.at(-1)?.alone.reduce((top, value, i, all) => (value > all[top]! ? i : top), 0);
    if (best !== undefined && alone[best]) alone[best] = { ...alone[best], labelled: true, label: 'best alone' };
    return [...alone, { label: 'together', tone: 'accent', points: rounds.map((r) => [r.round, r.federated]) }];
  }, [rounds.length, news?.view.partners.length]);
  const last = rounds.at(-1);
  return (
    <section class="card stack" aria-labelledby="curves">
      <header>
        <h2 id="curves">Test digits read correctly</h2>
        {last && <span class="small"><b>{percent(last.federated)}</b> together, {percent(Math.max(...last.alone))} best alone</span>}
      </header>
      <Chart title="Share of test digits read correctly, by round" empty="Press start: after each round you see how well they read together, and how well alone." series={series} x="Round" xMax={setting.rounds} format={share} range={(min) => [Math.max(0, Math.floor(min * 10 - 0.2) / 10), 1]} />
    </section>
  );
}

function Partners({ news, story }: { news: DemoNews | undefined; story: Story }) {
  return (
    <section class="card stack" aria-labelledby="partners">
      <h2 id="partners">Partners and their {story.files ? 'rows' : 'digits'}</h2>
      <ul class="stack">
        {(news?.view.partners ?? []).map((p, i) => (
          <li key={p.id} class="stack tight">
            <div class="row spread">
              <b>{p.name}</b>
              <span class="small"><Standing value={p.standing} /></span>
            </div>
            <div class="row spread small soft">
              {p.balance.length > 0 && <Mini counts={p.balance} />}
              <span>{number(p.examples)} {story.rows}{positive(news?.scores?.partners[i], story)}</span>
              <span>{bytes(p.bytes_up)} sent</span>
            </div>
            <Bar value={p.standing === 'delivered' || news?.view.finished ? 1 : p.progress} label={`${p.name}: training`} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function positive(partner: DemoScores['partners'][number] | undefined, story: Story): string {
  return story.positive && partner?.positive !== undefined ? `, ${percent(partner.positive / Math.max(partner.train, 1), 0)} ${story.positive}` : '';
}

function Mini({ counts }: { counts: number[] }) {
  const most = Math.max(...counts, 1);
  const present = counts.flatMap((n, digit) => (n > 0 ? [digit] : []));
  return (
    <span class="mini" role="img" aria-label={`Has the digits ${present.join(', ')}`} title={`Has the digits ${present.join(', ')}`}>
      {counts.map((n, digit) => <span key={digit} style={{ height: `${(100 * n) / most}%` }} />)}
    </span>
  );
}

// dealt: the data can be dealt to them in other ways.
function Knobs({ setting, change, disabled, dealt }: { setting: DemoSetting; change: (part: Partial<DemoSetting>) => void; disabled: boolean; dealt: boolean }) {
  const slider = (name: 'partners' | 'epochs' | 'minCohort', label: string, min: number, max: number) => (
    <div>
      <label class="row spread" for={name}><span>{label}</span><output class="mono" for={name}>{setting[name]}</output></label>
      <input id={name} type="range" min={min} max={max} value={setting[name]} disabled={disabled} onChange={(e) => change({ [name]: Number(e.currentTarget.value) })} />
    </div>
  );
  return (
    <section class="card stack" aria-labelledby="knobs">
      <h2 id="knobs">Change it</h2>
      {slider('partners', 'Partners', 2, 8)}
      {dealt && <fieldset>
        <legend style={{ fontWeight: 500, paddingBottom: '4px' }}>Their data</legend>
        <div class="choice">
          {([[0, 'Alike'], [2, 'Few digits each']] as const).map(([shards, label]) => (
            <label key={shards}>
              <input class="vh" type="radio" name="shards" checked={setting.shards === shards} disabled={disabled} onChange={() => change({ shards })} />
              {label}
            </label>
          ))}
        </div>
      </fieldset>}
      {slider('epochs', 'Passes over the data a round', 1, 5)}
      {slider('minCohort', 'Contract: least partners in a result', 2, 8)}
    </section>
  );
}

function Crossed({ news, engine, story }: { news: DemoNews | undefined; engine: Remote<Engine> | undefined; story: Story }) {
  const [agreements, setAgreements] = useState<AgreementText[]>([]);
  const [all, setAll] = useState(false);
  const known = news?.ledger.filter((e) => e.kind.startsWith('agreement')).length ?? 0;
  useEffect(() => { void engine?.agreements().then(setAgreements); }, [engine, known, news?.federation]);
  // A model that is published before there is an agreement has gone nowhere yet.
  const crossings = known === 0 ? [] : (news?.ledger ?? []).filter((e) => e.size !== undefined).reverse();
  const names = new Map(news?.view.partners.map((p) => [p.id, p.name]));
  const shown = all ? crossings : crossings.slice(0, 8);
  return (
    <div class="grid2">
      <section class="card stack" aria-labelledby="crossed">
        <header>
          <h2 id="crossed">What crossed the borders</h2>
          <span class="small soft">0 {story.files ? 'rows' : 'digits'}, {plural(crossings.length, 'message')}</span>
        </header>
        {(news?.scores?.shared ?? 0) > 0 && <p class="small soft">Before the first round, once: sums of {number(news!.scores!.shared)} features, so that all scale alike.</p>}
        {crossings.length === 0 ? <p class="soft">Nothing yet. Press start to see each message as it goes.</p> : (
          <div class="table">
            <table>
              <thead><tr><th>Round</th><th>What</th><th class="num">Size</th><th class="wide-only">Agreement</th></tr></thead>
              <tbody>
                {shown.map((e) => (
                  <tr key={e.sequence}>
                    <td>{e.final ? 'end' : e.round}</td>
                    <td class="text">
                      <Crossing entry={e} name={names.get(e.participant ?? '')} />
                      <span class="phone soft">under {e.agreement ? <Id value={e.agreement} /> : 'all partners’ agreements'}</span>
                    </td>
                    <td class="num">{bytes(e.size!)}</td>
                    <td class="wide-only">{e.agreement ? <Id value={e.agreement} /> : 'all partners’'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {crossings.length > 8 && <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>{all ? 'Show fewer' : `Show all ${crossings.length}`}</button>}
      </section>
      <section class="card stack" aria-labelledby="contract">
        <h2 id="contract">Under which contract</h2>
        {agreements[0] ? (
          <>
            <p class="small soft">{plural(agreements.length, 'agreement')}: each partner’s updates and the model it gets, one each way.</p>
            <Terms terms={agreements[0].terms} />
            <Odrl contract={agreements[0]} name={agreements[0].id} />
          </>
        ) : <p class="soft">Agreements are concluded when the first round begins.</p>}
        {news?.view.finished && (
          <div>
            <button type="button" onClick={() => void engine?.safetensors().then((file) => save('entente-demo.safetensors', file as Uint8Array<ArrayBuffer>, 'application/octet-stream'))}>
              Take the model (safetensors)
            </button>
          </div>
        )}
      </section>
    </div>
  );
}

function Crossing({ entry, name }: { entry: LedgerEntry; name: string | undefined }) {
  const update = entry.kind.startsWith('update');
  return (
    <span class={`standing ${update ? 'on' : 'off'}`}>
      <Icon name={update ? 'up' : 'down'} />
      {update ? `${name ?? entry.participant}: update` : entry.final ? 'final model' : 'model'}
    </span>
  );
}

render(<App />, document.getElementById('app')!);
