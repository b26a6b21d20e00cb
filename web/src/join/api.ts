// The coordinator's HTTP API as a partner needs it.
import { Fault } from '../core/rpc.ts';

export interface Invitation {
  participant: string;
  name: string;
  federation: string;
  expires_at: string | number;
}

export interface FederationText {
  id: string;
  name: string;
  operator: string;
  purpose: string;
  coordinator_key: string;
  plan_digest: string;
  rounds: number;
  round: number;
  phase: string;
  participants: { name: string }[];
  sign_in?: SignIn; // an identity provider, where there is one
}

export interface SignIn {
  issuer: string;
  client_id: string;
  scope: string;
}

// One that stays, or whatever is good at the moment.
export type Token = string | (() => string);
export const textOf = (token: Token): string => (typeof token === 'string' ? token : token());

export interface StatusText {
  phase: string;
  round: number;
  completed: number;
  rounds: number;
  deadline_ms: number;
  expected: number;
  delivered: number;
  sentence: string;
  participants: { id: string; contributions: number; refusals: number }[]; // a partner sees itself
}

// status 0: nobody answered.
async function fail(response: Response): Promise<never> {
  let code = `http.${response.status}`;
  let detail = `The coordinator answered with status ${response.status}.`;
  try {
    const problem = (await response.json()) as { code?: string; detail?: string; title?: string };
    code = problem.code ?? code;
    detail = problem.detail ?? problem.title ?? detail;
  } catch {
    // Not a problem document: a proxy in between. The status says enough.
  }
  throw new Fault(detail, code, response.status);
}

let notBefore = 0; // as the coordinator has said (Retry-After)

export async function call(path: string, options: RequestInit = {}, token: Token = ''): Promise<Response> {
  const headers = new Headers(options.headers);
  if (token) headers.set('Authorization', `Bearer ${textOf(token)}`);
  let response: Response;
  const wait = notBefore - Date.now();
  if (wait > 0) await new Promise((done) => setTimeout(done, wait));
  try {
    response = await fetch(`/api/v1/${path}`, { ...options, headers, cache: 'no-store' });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw new Fault('The coordinator cannot be reached.', 'connector.unreachable', 0);
  }
  if (!response.ok) {
    notBefore = Date.now() + 1000 * Math.min(Number(response.headers.get('Retry-After')) || 0, 60);
    return fail(response);
  }
  return response;
}

export async function json<T>(path: string, token: Token = ''): Promise<T> {
  return (await call(path, {}, token)).json() as Promise<T>;
}

export const post = (path: string, body: unknown, token: Token = ''): Promise<Response> =>
  call(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }, token);

export const binary = (method: string, path: string, body: Uint8Array<ArrayBuffer>, token: string, signal?: AbortSignal): Promise<Response> =>
  call(path, { method, headers: { 'Content-Type': 'application/octet-stream' }, body, ...(signal ? { signal } : {}) }, token);

export async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}

// The hashes of the log's consistency proof, one behind the other.
export async function consistency(from: number, to: number, token: Token): Promise<Uint8Array<ArrayBuffer>> {
  const { proof } = await json<{ proof: string[] }>(`log/consistency?from=${from}&to=${to}`, token);
  return Uint8Array.from(proof.map(atob).join(''), (c) => c.charCodeAt(0));
}

// The records of a participant with their proofs: of the own one without a name. One page is one document; more are a document a line, which entente verify reads as well.
export async function evidenceOf(participant: string, token: Token): Promise<string> {
  const pages: string[] = [];
  for (let after = 0; ;) {
    const page = await json<{ next: number }>(`evidence?${participant ? `participant=${encodeURIComponent(participant)}&` : ''}after=${after}&limit=1000`, token);
    pages.push(JSON.stringify(page));
    if (page.next <= after) return `${pages.join('\n')}\n`;
    after = page.next;
  }
}
