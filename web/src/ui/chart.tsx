// A curve chart: direct labels at the ends, the value under the pointer in words, and a table with the same numbers.
import { useEffect, useRef, useState } from 'preact/hooks';
import type uPlot from 'uplot';
import { number } from './format.ts';

export interface Series {
  label: string;
  points: [number, number | null][];
  tone: 'accent' | 'grey';
  labelled?: boolean; // at its end; on unless false
  dashed?: boolean;
}

interface Properties {
  title: string;
  series: Series[];
  x: string;
  format: (value: number) => string;
  xMax?: number;
  range?: (min: number, max: number) => [number, number];
  height?: number;
  empty: string; // said while there is nothing to draw
}

// Rounds and steps are whole.
const steps = [1, 2, 5].flatMap((n) => [0, 1, 2, 3, 4, 5, 6].map((power) => n * 10 ** power)).sort((a, b) => a - b);

function colours() {
  const style = getComputedStyle(document.documentElement);
  const read = (name: string) => style.getPropertyValue(name).trim();
  return { accent: read('--accent'), grey: read('--grey'), soft: read('--soft'), line: read('--line'), ink: read('--ink') };
}

function columns(series: Series[]): { x: number[]; y: (number | null)[][] } {
  const x = [...new Set(series.flatMap((s) => s.points.map(([at]) => at)))].sort((a, b) => a - b);
  const y = series.map((s) => {
    const known = new Map(s.points);
    return x.map((at) => known.get(at) ?? null);
  });
  return { x, y };
}

// Labels at the ends of the lines, moved apart where they would lie on each other.
function drawLabels(plot: uPlot, series: Series[], c: ReturnType<typeof colours>): void {
  const ratio = devicePixelRatio;
  const ends = series.flatMap((s, i) => {
    if (s.labelled === false) return [];
    const values = plot.data[i + 1] as (number | null)[];
    let at = values.length - 1;
    while (at >= 0 && values[at] == null) at--;
    if (at < 0) return [];
    return [{ text: s.label, tone: s.tone, x: plot.valToPos(plot.data[0][at]!, 'x', true), y: plot.valToPos(values[at]!, 'y', true) }];
  });
  ends.sort((a, b) => a.y - b.y);
  const gap = 16 * ratio;
  const lowest = plot.bbox.top + plot.bbox.height - 4 * ratio;
  for (let i = 0; i < ends.length; i++) {
    if (i > 0) ends[i]!.y = Math.max(ends[i]!.y, ends[i - 1]!.y + gap);
  }
  for (let i = ends.length - 1, limit = lowest; i >= 0; i--, limit -= gap) ends[i]!.y = Math.min(ends[i]!.y, limit);
  const { ctx } = plot;
  ctx.save();
  ctx.textBaseline = 'middle';
  ctx.textAlign = 'left';
  for (const end of ends) {
    ctx.font = `${end.tone === 'accent' ? '600' : '400'} ${13 * ratio}px system-ui, sans-serif`;
    ctx.fillStyle = end.tone === 'accent' ? c.accent : c.soft;
    ctx.fillText(end.text, Math.min(end.x + 8 * ratio, plot.bbox.left + plot.bbox.width + 8 * ratio), end.y);
  }
  ctx.restore();
}

// Half of a page's script, and needed only when there is something to draw: fetched then, once for all charts.
type Plot = typeof uPlot;
let fetched: Plot | undefined;
const fetchPlot = async (): Promise<Plot> => (fetched ??= (await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]))[0].default);

export function Chart(properties: Properties) {
  const { title, empty, height = 260, series } = properties;
  const [Plot, setPlot] = useState<{ made: Plot } | undefined>(fetched && { made: fetched });
  const something = series.some((s) => s.points.some(([, value]) => value !== null));
  useEffect(() => {
    if (something && !Plot) void fetchPlot().then((made) => setPlot({ made }), () => {}); // offline now: without a curve
  }, [something]);
  if (something && Plot) return <Curves {...properties} Plot={Plot.made} />;
  return <figure class="chart" aria-label={title}><p class="none soft" style={{ height: `${height}px` }}>{something ? '' : empty}</p></figure>;
}

function Curves({ Plot, title, series, x, format, xMax, range, height = 260 }: Properties & { Plot: Plot }) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef({ series, format, xMax, range });
  latest.current = { series, format, xMax, range };
  const [read, setRead] = useState('');
  const [scheme, setScheme] = useState(0);
  const shape = series.map((s) => `${s.label}|${s.tone}|${s.dashed}|${s.points.length < 100}`).join();
  const data = columns(series);

  useEffect(() => {
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const change = () => setScheme((n) => n + 1);
    dark.addEventListener('change', change);
    return () => dark.removeEventListener('change', change);
  }, []);

  useEffect(() => {
    const c = colours();
    const longest = Math.max(...series.filter((s) => s.labelled !== false).map((s) => s.label.length), 0);
    const axis = { stroke: c.soft, font: '13px system-ui, sans-serif', grid: { stroke: c.line, width: 1 }, ticks: { show: false } };
    const options: uPlot.Options = {
      width: host.current!.clientWidth || 300,
      height,
      padding: [12, 16 + longest * 7.4, 0, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 7 } },
      scales: {
        x: { time: false, range: (_u, min, max) => [Math.min(min, 1), Math.max(max, latest.current.xMax ?? 2, 2)] },
        y: { range: (_u, min, max) => latest.current.range?.(min ?? 0, max ?? 1) ?? [min ?? 0, max ?? 1] },
      },
      axes: [
        { ...axis, grid: { show: false }, size: 32, space: 40, incrs: steps, values: (_u, splits) => splits.map(number) },
        { ...axis, size: 52, space: 40, values: (_u, splits) => splits.map((v) => latest.current.format(v)) },
      ],
      series: [
        {},
        ...series.map((s): uPlot.Series => ({
          stroke: s.tone === 'accent' ? c.accent : c.grey,
          width: s.tone === 'accent' && s.points.length < 100 ? 3 : 1.5,
          spanGaps: true,
          ...(s.dashed ? { dash: [5, 4] } : {}),
          points: { show: (u) => u.data[0].length < 3, size: 6 },
        })),
      ],
      hooks: {
        draw: [(u) => drawLabels(u, latest.current.series, c)],
        setCursor: [
          (u) => {
            const at = u.cursor.idx;
            if (at == null) return setRead('');
            const parts = latest.current.series.map((s, i) => [s.label, u.data[i + 1]![at]] as const).filter(([, v]) => v != null);
            setRead(`${x} ${number(u.data[0][at]!)}: ${parts.map(([label, v]) => `${label} ${latest.current.format(v!)}`).join(', ')}`);
          },
        ],
      },
    };
    const made = new Plot(options, [data.x, ...data.y] as uPlot.AlignedData, host.current!);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      const width = host.current?.clientWidth;
      if (width && width !== made.width) made.setSize({ width, height });
    });
    observer.observe(host.current!);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shape, scheme, height]);

  useEffect(() => plot.current?.setData([data.x, ...data.y] as uPlot.AlignedData), [JSON.stringify(data)]);

  return (
    <figure class="chart" aria-label={title}>
      <div ref={host} aria-hidden="true" />
      <p class="read" aria-hidden="true">{read || x}</p>
      <ChartTable title={title} series={series} data={data} x={x} format={format} />
    </figure>
  );
}

function ChartTable({ title, series, data, x, format }: { title: string; series: Series[]; data: ReturnType<typeof columns>; x: string; format: (v: number) => string }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary class="small">Numbers</summary>
      {open && <div class="table" tabIndex={0} role="region" aria-label={`${title}, as a table`}>
        <table>
          <caption class="vh">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{x}</th>
              {series.map((s) => <th key={s.label} scope="col" class="num">{s.label}</th>)}
            </tr>
          </thead>
          <tbody>
            {data.x.map((at, row) => (
              <tr key={at}>
                <td>{number(at)}</td>
                {series.map((s, i) => {
                  const value = data.y[i]![row];
                  return <td key={s.label} class="num">{value == null ? '–' : format(value)}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>}
    </details>
  );
}
