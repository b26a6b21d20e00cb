// Signing in at an identity provider: authorization code with PKCE (RFC 7636, S256), `state` and `nonce`. Fetched only when
// somebody signs in, or comes back from there.
//
//   if (returning()) session = await finish(signIn, address);
//   button: await begin(signIn);                      // goes to the provider
//   call('status', {}, session.token);                // the token of the moment
//
// Tokens are in this page's memory alone; a reload forgets them, and the provider remembers the person. What has to survive the way
// there and back (verifier, state, nonce) waits in sessionStorage and is used once: an answer that is shown again is refused.
import { Fault } from '../core/rpc.ts';
import type { SignIn } from '../join/api.ts';
import { came } from './returning.ts';

export interface Session {
  token: () => string;
  endAddress: string; // where the provider's own session is ended; empty: it says nowhere
  onEnd: (ended: () => void) => void; // nothing could renew the token
}

interface Way {
  state: string;
  nonce: string;
  verifier: string;
  issuer: string;
  client_id: string;
  redirect_uri: string;
}

interface Endpoints {
  authorization_endpoint: string;
  token_endpoint: string;
  end_session_endpoint?: string;
}

interface Tokens {
  access_token: string;
  id_token: string;
  refresh_token?: string;
  expires_in?: number;
}

const key = 'entente-sign-in';
const margin_s = 30;

function refuse(sentence: string, code: string): never {
  throw new Fault(sentence, code);
}

async function discover(issuer: string): Promise<Endpoints> {
  const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`).catch(() => refuse('The identity provider cannot be reached.', 'issuer.unreachable'));
  const found = (await response.json().catch(() => ({}))) as Endpoints & { issuer?: string };
  if (!response.ok || found.issuer !== issuer) refuse('The identity provider does not say who it is.', 'issuer.malformed');
  return found;
}

const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
const random = (): string => base64url(crypto.getRandomValues(new Uint8Array(32)));

export async function begin(at: SignIn): Promise<void> {
  const way: Way = { state: random(), nonce: random(), verifier: random(), issuer: at.issuer, client_id: at.client_id, redirect_uri: location.origin + location.pathname };
  const { authorization_endpoint } = await discover(at.issuer);
  const challenge = base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(way.verifier))));
  sessionStorage.setItem(key, JSON.stringify(way));
  const target = new URL(authorization_endpoint);
  for (const [name, value] of Object.entries({
    response_type: 'code', client_id: way.client_id, redirect_uri: way.redirect_uri, scope: at.scope, state: way.state, nonce: way.nonce,
    code_challenge: challenge, code_challenge_method: 'S256',
  })) target.searchParams.set(name, value);
  location.assign(target);
}

// The person is back: the code against tokens, once.
export async function finish(at: SignIn): Promise<Session> {
  const answer = came();
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  const way = kept ? (JSON.parse(kept) as Way) : undefined;
  if (!answer || !way || answer.get('state') !== way.state || way.issuer !== at.issuer || way.client_id !== at.client_id) {
    refuse('This answer of the identity provider belongs to no sign-in of this tab.', 'login.state');
  }
  if (answer.has('iss') && answer.get('iss') !== at.issuer) refuse('This answer comes from another identity provider.', 'login.issuer');
  const code = answer.get('code');
  if (!code) refuse(`The identity provider did not sign you in (${(answer.get('error') ?? '').slice(0, 60)}).`, 'login.refused');
  const endpoints = await discover(at.issuer);
  const tokens = await ask(endpoints, { grant_type: 'authorization_code', code, redirect_uri: way.redirect_uri, client_id: way.client_id, code_verifier: way.verifier });
  check(tokens.id_token, way);
  return session(at, endpoints, tokens);
}

async function ask(endpoints: Endpoints, form: Record<string, string>): Promise<Tokens> {
  const response = await fetch(endpoints.token_endpoint, { method: 'POST', body: new URLSearchParams(form) })
    .catch(() => refuse('The identity provider cannot be reached.', 'issuer.unreachable'));
  const found = (await response.json().catch(() => ({}))) as Partial<Tokens> & { error?: string };
  if (!response.ok || !found.access_token) refuse(`The identity provider gave no token (${(found.error ?? String(response.status)).slice(0, 60)}).`, 'login.refused');
  return found as Tokens;
}

// Straight from the token endpoint, so the connection vouches for it (OpenID Connect Core, 3.1.3.7); the claims say whether it is ours.
function check(idToken: string | undefined, way: Way): void {
  let claims: { iss?: string; aud?: string | string[]; nonce?: string; exp?: number } = {};
  try {
    claims = JSON.parse(atob(idToken!.split('.')[1]!.replace(/-/g, '+').replace(/_/g, '/'))) as typeof claims;
  } catch {
    refuse('The identity provider gave no ID token.', 'login.malformed');
  }
  if (claims.nonce !== way.nonce) refuse('The ID token is of another sign-in.', 'login.nonce');
  if (claims.iss !== way.issuer) refuse('The ID token is of another identity provider.', 'login.issuer');
  if (![claims.aud].flat().includes(way.client_id)) refuse('The ID token is for another client.', 'login.audience');
  if (!((claims.exp ?? 0) * 1000 > Date.now() - 60_000)) refuse('The ID token has expired; check the clock.', 'login.expired');
}

function session(at: SignIn, endpoints: Endpoints, first: Tokens): Session {
  let tokens = first;
  let ended: () => void = () => undefined;
  const end = endpoints.end_session_endpoint ? new URL(endpoints.end_session_endpoint) : undefined;
  end?.searchParams.set('id_token_hint', first.id_token);
  const renew = async () => {
    if (!tokens.refresh_token) return ended();
    try {
      tokens = { ...tokens, ...(await ask(endpoints, { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: at.client_id })) };
      wait();
    } catch {
      ended();
    }
  };
  const wait = () => setTimeout(() => void renew(), Math.max(5, (tokens.expires_in ?? 60) - margin_s) * 1000);
  wait();
  return { token: () => tokens.access_token, endAddress: end?.href ?? '', onEnd: (run) => { ended = run; } };
}
