// The dashboard: what the federation does now, who takes part, the rounds, the contracts, the ledger.
import { render } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import '../ui/style.css';
import type { Fault } from '../core/rpc.ts';
import { call, json, post, type FederationText, type Token } from '../join/api.ts';
import { Chart, type Series } from '../ui/chart.tsx';
import { ago, bytes, csv, instant, number, percent, plural, save, seconds, share, tied } from '../ui/format.ts';
import { isShare, metricLabel, metricValue, shareRange } from '../ui/metrics.ts';
import { Bar, Figures, Id, Odrl, Problem, Standing, Terms, Top, type Trouble } from '../ui/parts.tsx';
import { returning } from '../ui/returning.ts';
import type { Session } from '../ui/signin.ts';
import { DataSpace } from './dataspace.tsx';
import { Proof } from './proof.tsx';
import { Uses } from './uses.tsx';
import { readLedger, watch, type AgreementRow, type ConnectorView, type LedgerRow, type Live, type Me, type PartnerRow, type RoundRow, type Status } from './live.ts';
import { Table, useSetting, type Column } from './table.tsx';

const key = 'entente-token';

// #token=… is taken once and removed from the address.
function firstToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get('token');
  if (given) {
    sessionStorage.setItem(key, given);
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(key) ?? '';
}

function App() {
  const [token, setToken] = useState<Token>(firstToken);
  const [session, setSession] = useState<Session>();
  const [federation, setFederation] = useState<FederationText>();
  const [me, setMe] = useState<Me>();
  const [trouble, setTrouble] = useState<Trouble>();
  const [ended, setEnded] = useState('');  // where the provider's own session can be ended
  useEffect(() => {
    json<FederationText>('federation').then(async (found) => {
      setFederation(found);
      if (!returning() || !found.sign_in) return;
      const { finish } = await import('../ui/signin.ts');
      await finish(found.sign_in).then((signedIn) => {
        signedIn.onEnd(() => leave());
        setSession(signedIn);
        enter(signedIn.token);
      }, (fault: Fault) => setTrouble({ happened: fault.message, safe: 'Nothing was changed.', todo: 'Sign in again.', code: fault.reason }));
    }, () => undefined);
  }, []);
  const enter = (given: Token) => {
    sessionStorage.removeItem(key);
    if (typeof given === 'string') sessionStorage.setItem(key, given);
    setTrouble(undefined);
    setToken(() => given);
  };
  const leave = () => {
    sessionStorage.removeItem(key);
    setEnded(session?.endAddress ?? '');
    setSession(undefined);
    setMe(undefined);
    setToken('');
  };
  return (
    <>
      <Top href="/" right={<span class="row" style={{ justifyContent: 'flex-end' }}><span>{federation && `${federation.name} · ${federation.operator}`}</span>{token && me && <span data-who>{me.person ? `${me.person}, ${me.role}` : me.role}</span>}{token && <button type="button" class="plain" onClick={leave}>Sign out</button>}</span>} />
      <div class="wrap stack wide">
        {token ? <Console key={session ? 'session' : String(token)} token={token} federation={federation} known={setMe} leave={leave} />
          : <SignIn federation={federation} enter={enter} ended={ended} before={trouble} />}
      </div>
    </>
  );
}

function SignIn({ federation, enter, ended, before }: { federation: FederationText | undefined; enter: (token: string) => void; ended: string; before: Trouble | undefined }) {
  const [token, setToken] = useState('');
  const [trouble, setTrouble] = useState<Trouble>();
  const [busy, setBusy] = useState(false);
  async function submit(event: Event) {
    event.preventDefault();
    setBusy(true);
    await json<Status>('status', token.trim()).then(() => enter(token.trim()), (fault: Fault) => setTrouble(refusal(fault)));
    setBusy(false);
  }
  const at = federation?.sign_in;
  async function provider() {
    setBusy(true);
    const { begin } = await import('../ui/signin.ts');
    await begin(at!).catch((fault: Fault) => setTrouble({ happened: fault.message, safe: 'Nothing was changed.', todo: 'Try again, or tell the operator.', code: fault.reason }));
    setBusy(false);
  }
  const shown = trouble ?? before;
  return (
    <form class="card stack wide" style={{ maxWidth: '640px' }} onSubmit={(e) => void submit(e)}>
      <div class="stack tight">
        <h1>{federation?.name ?? 'Entente'}</h1>
        {federation && <p>{federation.purpose} {federation.round > federation.rounds ? `All ${plural(federation.rounds, 'round')} are done` : `Round ${federation.round} of ${federation.rounds}`}, {plural(federation.participants.length, 'partner')}.</p>}
      </div>
      {ended && <p role="status">You are signed out here. At your identity provider you still are signed in: <a href={ended}>sign out there too</a>.</p>}
      {at && <div class="stack tight"><div><button type="button" class="main" disabled={busy} onClick={() => void provider()}>Sign in</button></div><p class="small soft">At <span class="mono">{new URL(at.issuer).host}</span>, with your company’s account.</p></div>}
      <div class="stack tight">
        <label for="token">Token</label>
        <input id="token" type="password" autocomplete="off" value={token} onInput={(e) => setToken(e.currentTarget.value)} />
        <p class="small soft"><code class="mono">entente serve</code> prints the operator’s token when it first starts. It stays in this tab only.</p>
      </div>
      {shown && <Problem trouble={shown} />}
      <div class="row actions"><button type="submit" class={at ? '' : 'main'} disabled={busy || !token.trim()}>Open the dashboard</button><a class="button" href="/demo">See the offline demo</a></div>
    </form>
  );
}

function refusal(fault: Fault): Trouble {
  if (fault.reason === 'auth.not-joined') return { happened: 'Your company has not joined yet.', safe: 'Nothing was changed.', todo: 'Join at /join on this coordinator, then come back.', code: fault.reason };
  if (fault.reason.startsWith('auth.no-') || fault.reason === 'join.removed') return { happened: fault.message, safe: 'Nothing was changed.', todo: 'Ask whoever administers your account, or the operator.', code: fault.reason };
  if (fault.status === 401 || fault.status === 403) return { happened: 'This token is not known here.', safe: 'Nothing was changed.', todo: 'Take the one that entente serve printed for this federation.', code: fault.reason };
  return { happened: fault.message, safe: 'Nothing was changed.', todo: 'Check that the coordinator runs, then try again.', code: fault.reason };
}

function Console({ token, federation, known, leave }: { token: Token; federation: FederationText | undefined; known: (me: Me) => void; leave: () => void }) {
  const [live, setLive] = useState<Live>({ status: undefined, connection: 'polling', fault: undefined });
  const [me, setMe] = useState<Me>();
  const [ledger, setLedger] = useState<LedgerRow[]>([]);
  const [agreements, setAgreements] = useState<AgreementRow[]>([]);
  const [connector, setConnector] = useState<ConnectorView>();
  useEffect(() => {
    json<Me>('me', token).then((found) => { setMe(found); known(found); }, () => setMe({ participant: '', name: '', role: 'operator' }));
    return watch(token, setLive, (row) => setLedger((rows) => (rows.some((r) => r.sequence === row.sequence) ? rows : [...rows, row])));
  }, []);
  const { status, fault } = live;
  const insider = me !== undefined && me.role !== 'partner';
  // Read again when something has happened: correct also after a lost connection.
  const happened = status ? `${status.completed} ${status.participants.length} ${status.participants.filter((p) => p.update_agreement).length} ${live.connection}` : '';
  useEffect(() => {
    if (!insider || !happened) return;
    readLedger(token).then(setLedger, () => undefined);
    json<AgreementRow[]>('agreements', token).then(setAgreements, () => undefined);
    json<ConnectorView>('connector', token).then(setConnector, () => undefined);
  }, [happened, insider]);

  if (!status) {
    if (!fault) return <p class="soft">Reading the state of the federation.</p>;
    return <Problem trouble={refusal(fault)}><div><button type="button" onClick={leave}>Use another token</button></div></Problem>;
  }
  return (
    <>
      <Overview status={status} live={live} federation={federation} />
      <div class="cols">
        <div class="stack wide"><Curves status={status} /></div>
        <div class="stack wide">{me?.role === 'operator' ? <Invite token={token} /> : <Mine status={status} me={me} />}</div>
      </div>
      <Partners rows={status.participants} token={me?.role === 'operator' ? token : undefined} />
      <Rounds rows={status.history} worth={worthOf(status)} names={new Map(status.participants.map((p) => [p.id, p.name]))} />
      {insider && <Agreements rows={agreements} names={new Map(status.participants.map((p) => [p.id, p.name]))} />}
      {insider && <Uses status={status} ledger={ledger} agreements={agreements} token={token} />}
      {insider && connector && connector.peers.length > 0 && <DataSpace view={connector} names={new Map(status.participants.map((p) => [p.id, p.name]))} />}
      {insider && <Proof token={token} rounds={status.history.map((r) => r.round)} names={new Map(status.participants.map((p) => [p.id, p.name]))} />}
      {insider && <Ledger rows={ledger} />}
    </>
  );
}

const phases: Record<string, string> = { restoring: 'The coordinator reads its ledger.', waiting: 'Waiting for enough partners.', collecting: '', finished: 'All rounds are done.' };

function Overview({ status, live, federation }: { status: Status; live: Live; federation: FederationText | undefined }) {
  const needs = status.participants.filter((p) => p.refusals >= 2);
  const last = status.history.at(-1);
  const worth = worthOf(status);
  const up = status.history.reduce((sum, r) => sum + r.bytes_up, 0);
  const down = status.history.reduce((sum, r) => sum + r.bytes_down, 0);
  return (
    <section class="card stack" aria-labelledby="now">
      <div class="row spread small soft">
        <span>{federation?.purpose}</span>
        <span>{live.connection === 'live' ? 'live' : live.connection === 'polling' ? 'read every 2 s' : 'connection lost, trying again'}</span>
      </div>
      {live.connection === 'lost' && <Problem trouble={{ happened: 'The coordinator cannot be reached.', safe: 'What is shown is the last known state. The round is not affected by this page.', todo: 'Nothing: the page tries again by itself.', code: live.fault?.reason ?? 'connector.unreachable' }} />}
      {needs.map((p) => <Problem key={p.id} trouble={{ happened: `${p.name} was refused ${p.refusals} times: ${(p.last_refusal ?? '').replace(/\.$/, '')}.`, safe: 'Nothing of it was used.', todo: 'Talk to the partner, or remove it.', code: 'update.refused' }} />)}
      <h1 id="now" class="sentence" style={{ minHeight: 0, maxWidth: 'none' }}>{tied(status.sentence) || phases[status.phase]}</h1>
      <ul class="line" aria-label="The round under way">
        {status.participants.map((p) => (
          <li key={p.id}>
            <span class="name">{p.name}</span>
            <Standing value={p.standing} />
            {p.standing === 'training' && p.progress !== undefined && <Bar value={p.progress} label={`${p.name}: training`} />}
          </li>
        ))}
        {status.participants.length === 0 && <li class="soft">No partner has joined yet.</li>}
      </ul>
      <Figures values={[
        ['Rounds done', `${status.completed} of ${status.rounds}`],
        [worth.name, worth.show(worth.of(status.history.findLast((r) => worth.of(r) !== null)))],
        ['Last round', last ? seconds(last.seconds) : '–'],
        ['Received', bytes(up)],
        ['Sent', bytes(down)],
        ['Model', status.model_bytes ? bytes(status.model_bytes) : '–'],
      ]} />
    </section>
  );
}

// How good a model is: the share of digits that is right, or the first metric of a task on tables.
function worthOf({ metric }: Status): { name: string; of: (r: RoundRow | undefined) => number | null; show: (value: number | null) => string } {
  return metric ? { name: metricLabel(metric), of: (r) => r?.metric ?? null, show: (v) => metricValue(metric, v) } : { name: 'Accuracy', of: (r) => r?.accuracy ?? null, show: (v) => percent(v, 2) };
}

function Curves({ status }: { status: Status }) {
  const worth = worthOf(status);
  // A round is measured a little after it has closed.
  const known = status.history.map((r) => `${r.round} ${worth.of(r)} ${r.loss}`).join();
  const quality = useMemo((): Series[] => [{ label: worth.name.replace(/^Acc/, 'acc'), tone: 'accent', points: status.history.map((r) => [r.round, worth.of(r)]) }], [known]);
  const loss = useMemo((): Series[] => [{ label: 'loss', tone: 'accent', points: status.history.map((r) => [r.round, r.loss]) }], [known]);
  return (
    <section class="card stack wide" aria-label="Quality">
      <div class="stack tight"><h2>{worth.name} of the common model{status.metric && ', mean over partners'}</h2><Chart title={`${worth.name} by round`} empty="The curve begins when the first round is done." series={quality} x="Round" xMax={status.rounds} height={220} format={status.metric ? worth.show : share} {...(status.metric && !isShare(status.metric) ? {} : { range: shareRange })} /></div>
      <div class="stack tight"><h2>Its loss</h2><Chart title="Loss by round" empty="It begins with the first round too." series={loss} x="Round" xMax={status.rounds} height={160} format={(v) => v.toFixed(2)} range={(_min, max) => [0, Math.max(0.5, max * 1.05)]} /></div>
    </section>
  );
}

function Invite({ token }: { token: Token }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState('partner');
  const [made, setMade] = useState<{ name: string; link: string }>();
  const [copied, setCopied] = useState(false);
  const [trouble, setTrouble] = useState<Trouble>();
  const id = name.trim().toLowerCase().normalize('NFD').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 64);
  async function submit(event: Event) {
    event.preventDefault();
    setTrouble(undefined);
    try {
      const response = await post('invitations', { participant: id, name: name.trim(), role, valid_s: 86_400 }, token);
      const { code, link } = (await response.json()) as { code: string; link?: string };
      setMade({ name: name.trim(), link: link?.startsWith('http') ? link : `${location.origin}/join#code=${code}` });
      setCopied(false);
      setName('');
    } catch (error) {
      setTrouble({ happened: `The invitation was not made: ${(error as Fault).message}`, safe: 'Nothing was changed.', todo: 'Choose another name, or try again.', code: (error as Fault).reason });
    }
  }
  return (
    <section class="card stack" aria-labelledby="invite">
      <h2 id="invite">Invite</h2>
      <form class="stack" onSubmit={(e) => void submit(e)}>
        <div class="stack tight"><label for="name">Company</label><input id="name" type="text" value={name} onInput={(e) => setName(e.currentTarget.value)} placeholder="Plant A" /></div>
        <fieldset class="choice">
          <legend class="vh">Role</legend>
          {(['partner', 'auditor'] as const).map((r) => <label key={r}><input class="vh" type="radio" name="role" checked={role === r} onChange={() => setRole(r)} />{r === 'partner' ? 'Partner' : 'Auditor, reads only'}</label>)}
        </fieldset>
        <button type="submit" disabled={!id}>Make a join link</button>
      </form>
      {trouble && <Problem trouble={trouble} />}
      {made && (
        <div class="stack tight" role="status">
          <p><b>{made.name}</b> can join once, within a day:</p>
          <input type="text" readOnly value={made.link} aria-label="Join link" onFocus={(e) => e.currentTarget.select()} />
          <button type="button" onClick={() => void navigator.clipboard?.writeText(made.link).then(() => setCopied(true))}>{copied ? 'Copied' : 'Copy the link'}</button>
        </div>
      )}
    </section>
  );
}

function Mine({ status, me }: { status: Status; me: Me | undefined }) {
  const row = status.participants.find((p) => p.id === me?.participant);
  if (me?.role === 'auditor') return <section class="card stack"><h2>Auditor</h2><p>You see agreements, uses, refusals and proofs, and can change nothing. Updates you may read only where the operator lets auditors.</p></section>;
  return (
    <section class="card stack">
      <h2>{row?.name ?? 'You'}</h2>
      {row ? <Figures values={[['Contributions', number(row.contributions)], ['Sent', bytes(row.bytes_up)], ['Refused', number(row.refusals)]]} /> : <p class="soft">Not in this federation.</p>}
    </section>
  );
}

// What an operator may do with a partner: the verb, the answer that is given twice, and how it is asked of the coordinator.
const acts = {
  remove: { label: 'Remove', done: 'removed', method: 'DELETE', path: '' },
  suspend: { label: 'Suspend', done: 'suspended', method: 'POST', path: '/suspension' },
  resume: { label: 'Let in again', done: 'let in again', method: 'DELETE', path: '/suspension' },
} as const;
type Act = keyof typeof acts;

// With a token: whose who may remove or suspend a partner.
function Partners({ rows, token }: { rows: PartnerRow[]; token: Token | undefined }) {
  const [sure, setSure] = useState(''); // of which act on whom the first of two clicks was
  const [trouble, setTrouble] = useState<Trouble>();
  const carryOut = (what: Act, p: PartnerRow) => call(`participants/${p.id}${acts[what].path}`, { method: acts[what].method }, token).then(() => setTrouble(undefined), (fault: Fault) => setTrouble({ happened: `${p.name} was not ${acts[what].done}: ${fault.message}`, safe: 'Nothing was changed.', todo: 'Try again.', code: fault.reason })).finally(() => setSure(''));
  const button = (what: Act, p: PartnerRow) => <button type="button" class="plain" aria-label={`${acts[what].label} ${p.name}`} onClick={() => setSure(`${what} ${p.id}`)}>{acts[what].label}</button>;
  const confirm = (p: PartnerRow) => {
    const what = (Object.keys(acts) as Act[]).find((act) => sure === `${act} ${p.id}`);
    return what && <span class="row"><button type="button" onClick={() => void carryOut(what, p)}>Yes, {acts[what].label.toLowerCase()} {p.name}</button><button type="button" class="plain" onClick={() => setSure('')}>Keep</button></span>;
  };
  const columns: Column<PartnerRow>[] = [
    { name: 'Partner', value: (p) => p.name, show: (p) => <><b>{p.name}</b><br /><span class="mono soft">{p.id}</span></> },
    { name: 'Standing', value: (p) => p.standing, show: (p) => <Standing value={p.standing} /> },
    { name: 'Last seen', value: (p) => p.last_seen_ms, show: (p) => <time title={p.last_seen_ms ? instant(p.last_seen_ms) : ''}>{ago(p.last_seen_ms)}</time> },
    { name: 'Contributions', value: (p) => p.contributions, number: true },
    { name: 'Refused', value: (p) => p.refusals, number: true, show: (p) => <span title={p.last_refusal ?? ''}>{p.refusals}</span> },
    { name: 'Sent', value: (p) => p.bytes_up, number: true, show: (p) => bytes(p.bytes_up) },
    { name: 'Received', value: (p) => p.bytes_down, number: true, show: (p) => bytes(p.bytes_down) },
    { name: 'Agreement', value: (p) => p.update_agreement, show: (p) => <Id value={p.update_agreement} /> },
  ];
  if (token) columns.push({
    name: 'Access', value: (p) => (p.standing === 'left' ? 'ended' : p.standing === 'suspended' ? 'suspended' : 'open'),
    show: (p) => p.standing === 'left' ? 'ended'
      : confirm(p) ?? <span class="row">{button(p.standing === 'suspended' ? 'resume' : 'suspend', p)}{button('remove', p)}</span>,
  });
  return <section class="card stack" aria-labelledby="partners"><h2 id="partners">Partners</h2>{trouble && <Problem trouble={trouble} />}{rows.length > 0 ? <Table name="partners" caption="Partners" columns={columns} rows={rows} sort="Partner" /> : <p class="soft">None has joined yet. Make a join link above.</p>}</section>;
}

// The first of many, the rest on hover.
function Some({ names }: { names: string[] }) {
  if (names.length <= 4) return <>{names.join(', ')}</>;
  return <span title={names.join(', ')}>{names.slice(0, 3).join(', ')} and {number(names.length - 3)} more</span>;
}

function Rounds({ rows, worth, names }: { rows: RoundRow[]; worth: ReturnType<typeof worthOf>; names: Map<string, string> }) {
  const named = (r: RoundRow) => r.contributors.map((id) => names.get(id) ?? id);
  const columns: Column<RoundRow>[] = [
    { name: 'Round', value: (r) => r.round, number: true },
    { name: worth.name, value: (r) => worth.of(r) ?? '', number: true, show: (r) => worth.show(worth.of(r)) },
    { name: 'Loss', value: (r) => r.loss ?? '', number: true, show: (r) => r.loss?.toFixed(3) ?? '–' },
    { name: 'Time', value: (r) => r.seconds, number: true, show: (r) => seconds(r.seconds) },
    { name: 'Beyond training', value: (r) => r.overhead_ms, number: true, show: (r) => `${number(Math.round(r.overhead_ms))}\u00a0ms` },
    { name: 'Received', value: (r) => r.bytes_up, number: true, show: (r) => bytes(r.bytes_up) },
    { name: 'Sent', value: (r) => r.bytes_down, number: true, show: (r) => bytes(r.bytes_down) },
    { name: 'Contributors', value: (r) => named(r).join(', '), show: (r) => <Some names={named(r)} />, text: true },
    { name: 'Model', value: (r) => r.model_digest, show: (r) => <Id value={r.model_digest} /> },
  ];
  return <section class="card stack" aria-labelledby="rounds"><h2 id="rounds">Rounds</h2>{rows.length > 0 ? <Table name="rounds" caption="Rounds" columns={columns} rows={rows} sort="-Round" /> : <p class="soft">None is finished yet. The first opens by itself when enough partners are here; invite them above.</p>}</section>;
}

function Agreements({ rows, names }: { rows: AgreementRow[]; names: Map<string, string> }) {
  const name = (id: string) => names.get(id) ?? id;
  const partner = (a: AgreementRow) => name(a.asset.endsWith(':updates') ? a.assigner : a.assignee);
  const sorted = [...rows].sort((a, b) => partner(a).localeCompare(partner(b)) || b.asset.localeCompare(a.asset));
  return (
    <section class="card stack" aria-labelledby="agreements">
      <header><h2 id="agreements">Agreements</h2><span class="small soft">one each way and partner</span></header>
      {rows.length === 0 && <p class="soft">None yet: they are concluded when a partner joins.</p>}
      {sorted.map((a) => (
        <details key={a.id}>
          <summary>{a.asset.endsWith(':updates') ? `Updates of ${partner(a)}` : `Global model to ${partner(a)}`}</summary>
          <div class="stack" style={{ padding: '8px 0 16px' }}>
            <p class="small soft"><Id value={a.id} /> accepted by {a.accepted_by}, <time title={instant(a.agreed_at_ms)}>{ago(a.agreed_at_ms)}</time></p>
            <Terms terms={a.terms} />
            <Odrl contract={a} name={a.id} />
          </div>
        </details>
      ))}
    </section>
  );
}

function Ledger({ rows }: { rows: LedgerRow[] }) {
  const [find, setFind] = useSetting('find', '');
  const [kind, setKind] = useSetting('kind', '');
  const kinds = useMemo(() => [...new Set(rows.map((r) => r.kind))].sort(), [rows.length]);
  const wanted = find.trim().toLowerCase();
  const shown = useMemo(
    () => rows.filter((r) => (!kind || r.kind === kind) && (!wanted || `${r.summary} ${r.participant ?? ''} ${r.digest}`.toLowerCase().includes(wanted))),
    [rows, wanted, kind],
  );
  const [most, setMost] = useState(20);
  const latest = [...shown].reverse().slice(0, most);
  return (
    <section class="card stack" aria-labelledby="ledger">
      <header><h2 id="ledger">Ledger</h2><span class="small soft">{number(shown.length)} of {plural(rows.length, 'entry').replace('entrys', 'entries')}, each bound to the one before by its hash</span></header>
      <div class="grid2" style={{ gap: '16px' }}>
        <div class="stack tight"><label for="find">Search</label><input id="find" type="search" value={find} onInput={(e) => setFind(e.currentTarget.value)} /></div>
        <div class="stack tight"><label for="kind">Kind</label><select id="kind" value={kind} onChange={(e) => setKind(e.currentTarget.value)}><option value="">all</option>{kinds.map((k) => <option key={k}>{k}</option>)}</select></div>
      </div>
      <div class="table" tabIndex={0} role="region" aria-label="Ledger">
        <table class="stacked">
          <thead><tr><th class="num">No.</th><th>When</th><th>Kind</th><th>What</th><th>Digest</th></tr></thead>
          <tbody>{latest.map((r) => <tr key={r.sequence}><td class="num">{r.sequence}</td><td style={{ whiteSpace: 'nowrap' }}><time title={instant(r.at_ms)}>{ago(r.at_ms)}</time></td><td class="mono">{r.kind}</td><td class="text">{r.summary}</td><td><Id value={r.digest} /></td></tr>)}</tbody>
        </table>
      </div>
      <div class="row">
        {shown.length > most && <button type="button" class="plain small" onClick={() => setMost(most * 5)}>Show more</button>}
        <button type="button" class="plain small" onClick={() => save('ledger.csv', csv([['sequence', 'time', 'kind', 'summary', 'participant', 'digest'], ...shown.map((r) => [r.sequence, new Date(r.at_ms).toISOString(), r.kind, r.summary, r.participant ?? '', r.digest])]), 'text/csv')}>Export as CSV</button>
      </div>
    </section>
  );
}

render(<App />, document.getElementById('app')!);
