// What joining is worth to partners with tables: each one's own model and everybody's, on rows that neither has seen.
import type { DemoScores } from '../core/demo.ts';
import { Icon } from '../ui/parts.tsx';
import { metricLabel, metricValue } from '../ui/metrics.ts';

export function Worth({ scores }: { scores: DemoScores }) {
  const last = scores.rounds.at(-1);
  const first = scores.metrics[0]!;
  const all = last && { alone: last.alone.at(-1)!.metrics, together: last.together.at(-1)!.metrics };
  return (
    <section class="card stack" aria-labelledby="worth">
      <header>
        <h2 id="worth">What joining is worth</h2>
        <span class="small soft">on rows that no model has seen</span>
      </header>
      {!last || !all ? <p class="soft">After the first round: each company alone, and with the others.</p> : (
        <>
          <div class="table">
            <table>
              <thead><tr><th scope="col">{metricLabel(first.name)}{first.lower && ' ↓'}</th><th scope="col" class="num">Alone</th><th scope="col" class="num">Together</th><th scope="col">Joining</th></tr></thead>
              <tbody>
                {last.together.slice(0, -1).map((partner, i) => {
                  const [together, alone] = [partner.metrics[0], last.alone[i]?.metrics[0]];
                  return (
                    <tr key={partner.who}>
                      <th scope="row">{partner.who}</th>
                      <td class="num">{metricValue(first.name, alone)}</td>
                      <td class="num">{metricValue(first.name, together)}</td>
                      <td><Verdict better={together == null || alone == null || together === alone ? undefined : (together > alone) !== first.lower} /></td>
                    </tr>
                  );
                })}
              </tbody>
            </table>
          </div>
          <div class="table">
            <table>
              <thead><tr><th scope="col">All rows</th><th scope="col" class="num">Alone</th><th scope="col" class="num">Together</th></tr></thead>
              <tbody>
                {scores.metrics.map(({ name, lower }, i) => (
                  <tr key={name}>
                    <th scope="row">{metricLabel(name)}{lower && ' ↓'}</th>
                    <td class="num">{metricValue(name, all.alone[i])}</td>
                    <td class="num">{metricValue(name, all.together[i])}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="small soft">↓: less is better. One run with one seed; who gains may change with another.</p>
        </>
      )}
    </section>
  );
}

function Verdict({ better }: { better: boolean | undefined }) {
  if (better === undefined) return <span class="soft">same</span>;
  return <span class={`standing ${better ? 'on' : 'off'}`}><Icon name={better ? 'up' : 'down'} />{better ? 'gains' : 'loses'}</span>;
}
