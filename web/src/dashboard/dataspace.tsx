// Partners with connectors of their own: what was negotiated with them, message by message, and what has crossed.
import { ago, bytes, instant, plural } from '../ui/format.ts';
import { Odrl, Terms } from '../ui/parts.tsx';
import type { ConnectorView, ProcessRow } from './live.ts';
import { Table, type Column } from './table.tsx';

// "ContractAgreementVerificationMessage" -> "agreement verification"; an event says by whom it comes what it is.
function spoken({ message, from }: ProcessRow['history'][number]): string {
  if (message === 'ContractNegotiationEventMessage') return from === 'provider' ? 'finalization' : 'acceptance';
  return message.replace(/^Contract(Negotiation)?|^Transfer|Message$/g, '').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase();
}

function State({ row }: { row: ProcessRow }) {
  const tone = row.state === 'TERMINATED' ? 'bad' : row.state === 'FINALIZED' || row.state === 'COMPLETED' ? 'on' : 'off';
  return <span class={`standing ${tone} small`}>{row.state.toLowerCase()}</span>;
}

export function DataSpace({ view, names }: { view: ConnectorView; names: Map<string, string> }) {
  const name = (id: string) => names.get(id) ?? id;
  const { transfers } = view.processes;
  const negotiations = [...view.processes.negotiations].sort((a, b) => name(a.peer).localeCompare(name(b.peer)) || a.role.localeCompare(b.role));
  const columns: Column<(typeof transfers)[number]>[] = [
    { name: 'Begun', value: (t) => t.created_ms, show: (t) => <time title={instant(t.created_ms)}>{ago(t.created_ms)}</time> },
    { name: 'Partner', value: (t) => name(t.peer) },
    { name: 'What', value: (t) => (t.role === 'consumer' ? 'update, to us' : 'global model, to them') },
    { name: 'State', value: (t) => t.state, show: (t) => <State row={t} /> },
    { name: 'Why', value: (t) => t.reason || t.last_error, show: (t) => <span title={t.code}>{t.reason || t.last_error}</span>, text: true },
  ];
  return (
    <section class="card stack" aria-labelledby="dataspace">
      <header><h2 id="dataspace">Data space</h2><span class="small soft">{plural(view.peers.length, 'partner')} with a connector</span></header>
      <ul class="stack tight small" style={{ listStyle: 'none', padding: 0, margin: 0 }}>
        {view.peers.map((p) => <li key={p.participant}><b>{name(p.participant)}</b> <span class="mono soft" style={{ overflowWrap: 'anywhere' }}>{p.address}</span>{p.problem && <div class="amiss">{p.problem}</div>}</li>)}
      </ul>
      <div>
        <h3>Catalogue</h3>
        {view.catalogue.map((c) => (
          <details key={c.dataset}>
            <summary>{c.kind === 'global-model' ? 'Global model, to whoever takes part' : `Updates of ${name(c.provider)}, to us`} {c.round !== undefined && <span class="small soft">round {c.round}, {bytes(c.bytes ?? 0)}</span>}</summary>
            <div class="stack tight" style={{ padding: '8px 0 16px' }}>
              <p class="mono small soft" style={{ overflowWrap: 'anywhere' }}>{c.dataset}</p>
              <Terms terms={c.terms} />
              <Odrl contract={c} name={c.dataset.replace(/[^a-z0-9-]+/gi, '-')} />
            </div>
          </details>
        ))}
      </div>
      <div>
        <h3>Negotiations</h3>
        {negotiations.map((n) => (
          <details key={n.pid}>
            <summary>{n.role === 'consumer' ? `Updates of ${name(n.peer)}` : `Global model to ${name(n.peer)}`} <State row={n} /></summary>
            <div class="stack tight" style={{ padding: '8px 0 16px' }}>
              <ol class="small" style={{ paddingLeft: '20px', margin: 0 }}>
                {n.history.map((h, i) => <li key={i}><time class="soft" title={instant(h.at_ms)}>{new Date(h.at_ms).toLocaleTimeString()}</time> {h.from === n.role ? 'we' : name(n.peer)}: {spoken(h)}</li>)}
              </ol>
              {(n.reason || n.last_error) && <p class="small">{n.reason || n.last_error} {n.code && <code class="mono soft">{n.code}</code>}</p>}
            </div>
          </details>
        ))}
      </div>
      {transfers.length > 0 && <Table name="transfers" caption="Transfers" columns={columns} rows={transfers} sort="-Begun" />}
    </section>
  );
}
