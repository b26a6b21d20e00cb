// The small parts that several pages share.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ContractText, Preview, Term } from '../core/core.ts';
import { percent, save, short } from './format.ts';

export function Top({ right, href }: { right?: ComponentChildren; href?: string }) {
  const mark = (
    <>
      <svg viewBox="0 0 30 20" aria-hidden="true">
        <circle cx="10" cy="10" r="8.5" fill="none" stroke="currentColor" stroke-width="2.4" />
        <circle cx="20" cy="10" r="8.5" fill="none" stroke="var(--accent)" stroke-width="2.4" />
      </svg>
      Entente
    </>
  );
  return (
    <header class="top">
      {href ? <a class="brand" href={href}>{mark}</a> : <span class="brand">{mark}</span>}
      <div class="right">{right}</div>
    </header>
  );
}

export function Icon({ name }: { name: 'lock' | 'up' | 'down' | 'home' | 'check' | 'ring' | 'half' | 'cross' | 'dash' | 'play' }) {
  const paths = {
    lock: 'M4 7h8v6H4zM5.5 7V5a2.5 2.5 0 0 1 5 0v2',
    up: 'M8 13V3M3.5 7.5 8 3l4.5 4.5',
    down: 'M8 3v10M3.5 8.5 8 13l4.5-4.5',
    home: 'M2 8 8 2.5 14 8M4 7v6.5h8V7',
    check: 'M2.5 8.5 6.5 12.5 13.5 4',
    ring: 'M8 2a6 6 0 1 0 .01 0',
    half: 'M8 2a6 6 0 1 0 .01 0M8 2v12',
    cross: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
    dash: 'M3 8h10',
    play: 'M5 3l8 5-8 5z',
  };
  return (
    <svg viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}

const standings: Record<string, [string, 'on' | 'off' | 'bad', Parameters<typeof Icon>[0]['name']]> = {
  invited: ['invited', 'off', 'dash'],
  admitted: ['joined, no agreement yet', 'off', 'dash'],
  agreed: ['ready', 'off', 'ring'],
  training: ['training', 'on', 'half'],
  delivered: ['delivered', 'on', 'check'],
  absent: ['not heard of', 'off', 'dash'],
  refused: ['refused', 'bad', 'cross'],
  left: ['left', 'off', 'cross'],
};

// Shape and word, never colour alone.
export function Standing({ value }: { value: string }) {
  const [text, tone, icon] = standings[value] ?? [value, 'off', 'dash'];
  return (
    <span class={`standing ${tone}`}>
      <Icon name={icon} />
      {text}
    </span>
  );
}

export function Terms({ terms }: { terms: Term[] }) {
  return (
    <ul class="terms">
      {terms.map((term) => (
        <li key={term.sentence} class={term.enforced ? '' : 'refused'}>
          <Icon name={term.enforced ? 'lock' : 'cross'} />
          <span>{term.sentence}</span>
          <span class="by">{term.enforced ? 'Enforced by this software' : `Refused: ${term.reason || 'this software cannot enforce it'}`}</span>
        </li>
      ))}
    </ul>
  );
}

export function Odrl({ contract, name }: { contract: ContractText; name: string }) {
  const text = JSON.stringify(contract.odrl, null, 2);
  return (
    <details>
      <summary>The same as ODRL</summary>
      <pre tabIndex={0}>{text}</pre>
      <button type="button" class="plain" onClick={() => save(`${name}.jsonld`, text, 'application/ld+json')}>Download</button>
    </details>
  );
}

export interface Trouble {
  happened: string;
  safe: string;
  todo: string;
  code: string;
}

// What happened; what is safe; what to do; a code to quote.
export function Problem({ trouble, children }: { trouble: Trouble; children?: ComponentChildren }) {
  return (
    <div class="problem" role="alert">
      <strong>{trouble.happened}</strong>
      <span>{trouble.safe}</span>
      <span>{trouble.todo}</span>
      <span class="small soft">Code <span class="mono">{trouble.code}</span></span>
      {children}
    </div>
  );
}

export function Id({ value }: { value: string }) {
  const [done, setDone] = useState(false);
  if (!value) return <>–</>;
  return (
    <span class="mono" title={value}>
      {done ? 'copied' : (
        <button
          type="button" class="id"
          onClick={() => void navigator.clipboard?.writeText(value).then(() => { setDone(true); setTimeout(() => setDone(false), 1200); })}
        >
          {short(value)}<span class="vh"> (copy)</span>
        </button>
      )}
    </span>
  );
}

export function Bar({ value, label }: { value: number; label: string }) {
  return (
    <div class="bar" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(100 * value)}>
      <span style={{ width: `${100 * value}%` }} />
    </div>
  );
}

export function Figures({ values }: { values: [string, ComponentChildren][] }) {
  return (
    <dl class="figures">
      {values.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Balance({ counts }: { counts: number[] }) {
  const most = Math.max(...counts, 1);
  return (
    <div class="balance" role="img" aria-label={`Examples per digit: ${counts.map((n, digit) => `${digit}: ${n}`).join(', ')}`}>
      {counts.map((n, digit) => (
        <div key={digit} title={`${n} examples of ${digit}`}>
          <span style={{ height: `${(100 * n) / most}%` }} />
          {digit}
        </div>
      ))}
    </div>
  );
}

function Digit({ preview }: { preview: Preview }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => paint(ref.current!, preview.pixels), [preview]);
  return (
    <figure>
      <canvas ref={ref} width={28} height={28} role="img" aria-label={`A handwritten ${preview.label}`} />
      <figcaption>{preview.label}</figcaption>
    </figure>
  );
}

export function paint(canvas: HTMLCanvasElement, pixels: ArrayLike<number>): void {
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(28, 28);
  for (let i = 0; i < 784; i++) {
    image.data.fill(pixels[i] ?? 0, 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

export function Digits({ previews }: { previews: Preview[] }) {
  return <div class="digits">{previews.map((preview, i) => <Digit key={i} preview={preview} />)}</div>;
}

export function Guess({ probabilities }: { probabilities: number[] }) {
  const best = probabilities.indexOf(Math.max(...probabilities));
  return (
    <ol class="guess" aria-label="Probability of each digit">
      {probabilities.map((p, digit) => (
        <li key={digit} class={digit === best ? 'best' : ''}>
          <span>{digit}</span>
          <span class="bar"><span style={{ width: `${100 * p}%` }} /></span>
          <span class="num">{percent(p, 0)}</span>
        </li>
      ))}
    </ol>
  );
}
