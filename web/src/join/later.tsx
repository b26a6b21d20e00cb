// What is shown of finished rounds and of the model. Fetched when the first step is done, so that nobody waits for it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PlanText } from '../core/core.ts';
import { Chart, type Series } from '../ui/chart.tsx';
import { Draw } from '../ui/draw.tsx';
import { number, percent, save, share } from '../ui/format.ts';
import { isShare, metricLabel, metricMeaning, metricValue, shareRange } from '../ui/metrics.ts';
import { Figures, Problem } from '../ui/parts.tsx';
import type { PartnerNews } from './partner.ts';
import { Receipts } from './receipts.tsx';
import type { Heading, PartnerRemote } from './steps.ts';

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

// How good a model is: the share of digits read correctly, or the task's first metric.
const worth = (plan: PlanText | null, value: number | null): string => (plan?.table ? metricValue(plan.table.metrics[0] ?? '', value) : percent(value));

function Quality({ news }: { news: PartnerNews }) {
  const series = useMemo(() => curves(news), [JSON.stringify(news.points), JSON.stringify(news.final)]);
  const table = news.plan?.table;
  const metric = table?.metrics[0];
  if (table && metric === undefined) return null;
  const title = metric ? `${metricLabel(metric)} on your rows kept for testing` : '';
  return (
    <section class="card stack" aria-labelledby="quality">
      <h2 id="quality">{title || 'Your held-out digits read correctly'}</h2>
      <Chart title={`${title || 'Share of your held-out digits read correctly'}: alone and together, by round`} series={series} x="Round" xMax={news.view?.rounds ?? 10} format={metric ? (v) => metricValue(metric, v) : share} {...(metric && !isShare(metric) ? {} : { range: shareRange })} empty="Both lines begin when the first round is done." />
      {table && <Metrics news={news} names={table.metrics} />}
    </section>
  );
}

// All of the task's metrics, as far as they are known: at the end, or of the last models that were tried.
function Metrics({ news, names }: { news: PartnerNews; names: string[] }) {
  const last = (of: 'federated_metrics' | 'alone_metrics') => news.points.findLast((p) => p[of] && (of === 'alone_metrics' || p.round > 1))?.[of];
  const together = news.final?.metrics?.together ?? last('federated_metrics');
  const alone = news.final?.metrics?.alone?.length ? news.final.metrics.alone : last('alone_metrics');
  if (!together && !alone) return null;
  return (
    <>
      <p class="small soft">{metricMeaning(names[0]!)}</p>
      <div class="table">
        <table aria-label="All metrics">
          <thead><tr><th scope="col">Your rows kept for testing</th><th scope="col" class="num">Alone</th><th scope="col" class="num">Together</th></tr></thead>
          <tbody>{names.map((name, i) => <tr key={name}><th scope="row">{metricLabel(name)}</th><td class="num">{metricValue(name, alone?.[i])}</td><td class="num">{metricValue(name, together?.[i])}</td></tr>)}</tbody>
        </table>
      </div>
    </>
  );
}

export function Progress({ news, remote }: { news: PartnerNews; remote: PartnerRemote }) {
  const losses = useMemo((): Series[] => [{ label: 'loss', tone: 'accent', points: news.losses }], [news.losses.length, news.losses.at(-1)?.[1]]);
  return (
    <>
      <Quality news={news} />
      <Receipts news={news} remote={remote} />
      <section class="card stack" aria-labelledby="loss">
        <h2 id="loss">Training loss on this computer</h2>
        <Chart title="Training loss" series={losses} x="Training step" height={180} empty="It is drawn as soon as this computer trains." format={(v) => v.toFixed(2)} range={(_min, max) => [0, Math.max(0.5, max)]} />
      </section>
    </>
  );
}

function useScoreFile(wanted: boolean) {
  const [found, setFound] = useState<typeof import('./score.tsx').ScoreFile>();
  const [missing, setMissing] = useState(false);
  useEffect(() => { if (wanted) void import('./score.tsx').then((m) => setFound(() => m.ScoreFile), () => setMissing(true)); }, [wanted]);
  return { ScoreFile: found, missing };
}

export function ResultStep({ heading, news, remote, plan }: Heading & { news: PartnerNews; remote: PartnerRemote; plan: PlanText | null }) {
  const together = news.final?.together ?? null;
  const alone = news.final?.alone ?? news.points.findLast((p) => p.alone !== null)?.alone ?? null;
  const counted = news.crossings.filter((c) => c.outgoing && !c.sums).length;
  const metric = plan?.table?.metrics[0];
  const { ScoreFile, missing } = useScoreFile(plan?.table != null);
  const record = () => JSON.stringify({ federation: plan?.federation, plan: plan?.digest, participant: news.participant, accepted_by: news.acceptedBy, crossings: news.crossings }, null, 2);
  return (
    <>
      <section class="card stack wide">
        <div class="stack tight">
          <h1 ref={heading} tabIndex={-1}>The model is done</h1>
          <p id="sentence">
            {metric ? `${metricLabel(metric)} on your rows kept for testing` : 'Digits read correctly among those you held out'}: <b>{worth(plan, alone)}</b> with your data alone, <b>{worth(plan, together)}</b> together.
          </p>
        </div>
        <Figures values={[['Alone', worth(plan, alone)], ['Together', worth(plan, together)], ['Your updates', number(counted)]]} />
        <div class="row actions">
          <button type="button" class="main" onClick={() => void remote.safetensors().then((file) => save(`${plan?.federation ?? 'model'}.safetensors`, file, 'application/octet-stream'))}>Take the model (safetensors)</button>
          <button type="button" onClick={() => save(`${plan?.federation ?? 'entente'}-usage.json`, record(), 'application/json')}>Usage record</button>
        </div>
      </section>
      {missing && <Problem trouble={{ happened: 'The part of this page that scores files could not be fetched.', safe: 'Your model is here.', todo: 'Load the page again when there is a connection.', code: 'page.part-missing' }} />}
      {plan?.table ? ScoreFile && <ScoreFile remote={remote} federation={plan.federation} /> : (
        <section class="card stack" aria-labelledby="try">
          <h2 id="try">Try it: draw a digit</h2>
          <Draw predict={(pixels) => remote.predict(pixels, 'federated')} version={news.phase} />
        </section>
      )}
      <Quality news={news} />
      <Receipts news={news} remote={remote} />
    </>
  );
}
