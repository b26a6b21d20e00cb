// The offline demo: a whole federation inside one file.
import { render } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import '../ui/style.css';
import type { Preview } from '../core/core.ts';
import type { AgreementText, DemoSetting, LedgerEntry } from '../core/demo.ts';
import type { Remote } from '../core/rpc.ts';
import { Chart, type Series } from '../ui/chart.tsx';
import { Draw } from '../ui/draw.tsx';
import { bytes, number, percent, plural, save, share } from '../ui/format.ts';
import { Bar, Icon, Id, Odrl, Problem, Standing, Terms, Top } from '../ui/parts.tsx';
import type { DemoNews, Engine } from './engine.ts';
import { embeddedSample, embeddedWasm, startHost } from './host.ts';

const initial: DemoSetting = { partners: 4, shards: 2, epochs: 1, minCohort: 3, rounds: 10 };

function useEngine() {
  const [engine, setEngine] = useState<Remote<Engine>>();
  const [news, setNews] = useState<DemoNews>();
  const [preview, setPreview] = useState<Preview[]>([]);
  const [failure, setFailure] = useState('');
  const federation = useRef(0);
  // The button follows what was pressed at once; news of the federation before this one would turn it back.
  const show = (part: Partial<DemoNews>) => setNews((news) => news && { ...news, ...part });
  const create = (host: Remote<Engine>, setting: DemoSetting) => {
    federation.current += 1;
    show({ running: false, ended: false });
    return host.create(setting, federation.current);
  };
  useEffect(() => {
    void (async () => {
      const host = await startHost((news) => {
        if (news.federation === federation.current) setNews(news);
      });
      document.documentElement.dataset['host'] = host.kind;
      const loaded = await host.engine.load(embeddedWasm(), await embeddedSample());
      setPreview(loaded.preview);
      await create(host.engine, initial);
      setEngine(() => host.engine);
    })().catch((error: Error) => setFailure(error.message));
  }, []);
  return { engine, news, preview, failure, create, show };
}

function App() {
  const { engine, news, preview, failure, create, show } = useEngine();
  const [setting, setSetting] = useState(initial);
  const [started, setStarted] = useState(false);
  const next = useRef(0);

  async function change(part: Partial<DemoSetting>) {
    const wanted = { ...setting, ...part };
    setSetting(wanted);
    setStarted(false);
    if (engine) await create(engine, wanted);
  }
  async function press() {
    if (!engine || !news) return;
    if (news.running) {
      show({ running: false });
      return engine.pause();
    }
    if (news.ended) await create(engine, setting);
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
          <div class="row">
            <button type="button" class="main" disabled={!engine} onClick={() => void press()}>
              {news?.running ? 'Pause' : news?.ended ? 'Start again' : started ? 'Go on' : 'Start'}
            </button>
            <p role="status" id="sentence">{failure ? '' : sentence(news, started)}</p>
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
            <section class="card stack" aria-labelledby="try">
              <h2 id="try">Draw a digit</h2>
              {engine && (
                <Draw
                  predict={(pixels) => engine.predict(pixels)}
                  version={news?.view.completed}
                  sample={async () => preview[next.current++ % Math.max(preview.length, 1)]}
                />
              )}
              {news?.view.completed === 0 && <p class="small soft">The model is untrained: press start first.</p>}
            </section>
          </div>
          <div class="stack wide">
            <Partners news={news} />
            <Knobs setting={setting} change={(part) => void change(part)} disabled={!engine} />
          </div>
        </div>
        <Crossed news={news} engine={engine} />
      </div>
    </>
  );
}

function sentence(news: DemoNews | undefined, started: boolean): string {
  if (!news) return 'Loading the sample.';
  if (news.ended) return news.view.sentence;
  if (!started) return `Ready: ${number(5000)} handwritten digits, dealt out below.`;
  return news.running ? news.view.sentence : `Paused. ${news.view.sentence}`;
}

function refusalOf(ledger: LedgerEntry[]): string {
  const decided = ledger.findLast((e) => e.kind.startsWith('policy') && e.permitted === false);
  return decided?.sentence || ledger.findLast((e) => e.reason)?.reason || 'a term of the contract forbids it.';
}

function Curves({ news, setting }: { news: DemoNews | undefined; setting: DemoSetting }) {
  const rounds = news?.rounds ?? [];
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

function Partners({ news }: { news: DemoNews | undefined }) {
  return (
    <section class="card stack" aria-labelledby="partners">
      <h2 id="partners">Partners and their digits</h2>
      <ul class="stack">
        {(news?.view.partners ?? []).map((p) => (
          <li key={p.id} class="stack tight">
            <div class="row spread">
              <b>{p.name}</b>
              <span class="small"><Standing value={p.standing} /></span>
            </div>
            <div class="row spread small soft">
              <Mini counts={p.balance} />
              <span>{number(p.examples)} digits</span>
              <span>{bytes(p.bytes_up)} sent</span>
            </div>
            <Bar value={p.standing === 'delivered' || news?.view.finished ? 1 : p.progress} label={`${p.name}: training`} />
          </li>
        ))}
      </ul>
    </section>
  );
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

function Knobs({ setting, change, disabled }: { setting: DemoSetting; change: (part: Partial<DemoSetting>) => void; disabled: boolean }) {
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
      <fieldset>
        <legend style={{ fontWeight: 500, paddingBottom: '4px' }}>Their data</legend>
        <div class="choice">
          {([[0, 'Alike'], [2, 'Few digits each']] as const).map(([shards, label]) => (
            <label key={shards}>
              <input class="vh" type="radio" name="shards" checked={setting.shards === shards} disabled={disabled} onChange={() => change({ shards })} />
              {label}
            </label>
          ))}
        </div>
      </fieldset>
      {slider('epochs', 'Passes over the data a round', 1, 5)}
      {slider('minCohort', 'Contract: least partners in a result', 2, 8)}
    </section>
  );
}

function Crossed({ news, engine }: { news: DemoNews | undefined; engine: Remote<Engine> | undefined }) {
  const [agreements, setAgreements] = useState<AgreementText[]>([]);
  const [all, setAll] = useState(false);
  const known = news?.ledger.filter((e) => e.kind.startsWith('agreement')).length ?? 0;
  useEffect(() => { void engine?.agreements().then(setAgreements); }, [engine, known]);
  // A model that is published before there is an agreement has gone nowhere yet.
  const crossings = known === 0 ? [] : (news?.ledger ?? []).filter((e) => e.size !== undefined).reverse();
  const names = new Map(news?.view.partners.map((p) => [p.id, p.name]));
  const shown = all ? crossings : crossings.slice(0, 8);
  return (
    <div class="grid2">
      <section class="card stack" aria-labelledby="crossed">
        <header>
          <h2 id="crossed">What crossed the borders</h2>
          <span class="small soft">0 digits, {plural(crossings.length, 'message')}</span>
        </header>
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
