// What was checked, a line each, and what came of it all.
import { Icon } from './parts.tsx';

export interface FindingText {
  ok: boolean | null; // null: cannot be said here
  text: string;
  code?: string;
}

const words = { true: 'holds', false: 'does not hold', null: 'not checked' } as const;

export function Findings({ title, holds, findings }: { title: string; holds: boolean; findings: FindingText[] }) {
  return (
    <div class={`stack tight ${holds ? '' : 'problem'}`} role="status" data-holds={String(holds)}>
      <h3>{title}</h3>
      <ul class="terms small">
        {findings.map((f) => (
          <li key={f.text} class={f.ok === false ? 'refused' : ''}>
            <Icon name={f.ok === null ? 'dash' : f.ok ? 'check' : 'cross'} />
            <span><span class="vh">{words[`${f.ok}`]}: </span>{f.text} {f.code && <code class="mono soft">{f.code}</code>}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}
