// What the coordinator says of the federation: pushed by WebSocket, polled while that is away.
import { Fault } from '../core/rpc.ts';
import type { Term } from '../core/core.ts';
import { json, textOf, type Token } from '../join/api.ts';

export interface PartnerRow {
  id: string;
  name: string;
  standing: string;
  last_seen_ms: number;
  contributions: number;
  refusals: number;
  last_refusal: string | null;
  bytes_up: number;
  bytes_down: number;
  update_agreement: string;
  model_agreement: string;
  activity?: string;
  progress?: number;
  examples_per_second?: number;
}

export interface RoundRow {
  round: number;
  contributors: string[];
  accuracy: number | null;
  loss: number | null;
  metric?: number | null; // of a table: the task's first, the mean over partners
  seconds: number;
  overhead_ms: number;
  bytes_up: number;
  bytes_down: number;
  model_digest: string;
}

export interface Status {
  phase: string;
  round: number;
  completed: number;
  rounds: number;
  metric?: string; // what that is
  opened_at_ms: number;
  deadline_ms: number;
  expected: number;
  delivered: number;
  sentence: string;
  model_digest: string;
  model_bytes: number;
  participants: PartnerRow[];
  history: RoundRow[];
}

export interface LedgerRow {
  sequence: number;
  at_ms: number;
  kind: string;
  summary: string;
  participant?: string;
  digest: string;
}

export interface AgreementRow {
  id: string;
  asset: string;
  assigner: string;
  assignee: string;
  agreed_at_ms: number;
  accepted_by: string;
  terms: Term[];
  odrl: unknown;
}

// A negotiation or transfer with a partner's own connector.
export interface ProcessRow {
  pid: string;
  peer: string;
  role: 'provider' | 'consumer';  // ours
  state: string;
  created_ms: number;
  code: string;
  reason: string;
  last_error: string;
  history: { at_ms: number; from: 'provider' | 'consumer'; message: string }[];
}

// What somebody offers: a dataset of a catalogue.
export interface CatalogueRow {
  dataset: string;
  provider: string;
  kind: 'global-model' | 'update-stream';
  round?: number;
  bytes?: number;
  digest?: string;
  terms: Term[];
  odrl: unknown;
}

export interface ConnectorView {
  address: string;
  peers: { participant: string; address: string; problem?: string }[];
  catalogue: CatalogueRow[];
  processes: { negotiations: (ProcessRow & { dataset: string })[]; transfers: (ProcessRow & { agreement: string })[] };
}

export interface Me {
  participant: string;
  name: string;
  role: 'operator' | 'partner' | 'auditor';
  person?: string; // who has signed in at the identity provider
}

export interface Live {
  status: Status | undefined;
  connection: 'live' | 'polling' | 'lost';
  fault: Fault | undefined;
}

const poll_ms = 2000;
const longest_ms = 15_000;

export function watch(token: Token, changed: (live: Live) => void, entry: (row: LedgerRow) => void): () => void {
  let live: Live = { status: undefined, connection: 'polling', fault: undefined };
  let socket: WebSocket | undefined;
  let closed = false;
  let pause = 500;
  const update = (part: Partial<Live>) => {
    live = { ...live, ...part };
    if (!closed) changed(live);
  };

  async function poll() {
    if (closed || live.connection === 'live') return;
    try {
      update({ status: await json<Status>('status', token), connection: 'polling', fault: undefined });
    } catch (error) {
      update({ connection: 'lost', fault: error as Fault });
    }
  }

  function open() {
    if (closed) return;
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/ws`, 'entente.v1');
    socket.onopen = () => socket!.send(JSON.stringify({ token: textOf(token) }));
    socket.onmessage = (event) => {
      const message = JSON.parse(String(event.data)) as { type: string } & Record<string, unknown>;
      pause = 500;
      if (message.type === 'status') update({ status: message as unknown as Status, connection: 'live', fault: undefined });
      if (message.type === 'ledger') entry(message['entry'] as LedgerRow);
    };
    socket.onclose = () => {
      if (closed) return;
      if (live.connection === 'live') update({ connection: 'polling' });
      setTimeout(open, pause);
      pause = Math.min(2 * pause, longest_ms);
    };
  }

  const timer = setInterval(() => void poll(), poll_ms);
  void poll();
  open();
  return () => {
    closed = true;
    clearInterval(timer);
    socket?.close();
  };
}

// The whole ledger, page by page.
export async function readLedger(token: Token): Promise<LedgerRow[]> {
  const rows: LedgerRow[] = [];
  let after = 0;
  for (;;) {
    const page = await json<{ entries: LedgerRow[]; next: number | null }>(`ledger?after=${after}&limit=500`, token);
    rows.push(...page.entries);
    const last = page.entries.at(-1)?.sequence ?? after;
    if (page.entries.length < 500 || last === after) return rows;
    after = last;
  }
}
