// An OpenID provider for the tests, on loopback: npm's oidc-provider with people, machines and roles of ours. Says
// "issuer URL" when it listens. Its key is new at every start, so that a restart is a rotation.
//
//   OIDC_PORT=8181 node tests/e2e/oidc.mjs
//
// Machines (client credentials, secret: name + "-secret"): operator, auditor, plant-1 … plant-9, plant-a, plant-b, and two without a role:
// coordinator, for its connector, and stranger.
// People (any password): olga the operator, ada the auditor, plant-N a partner's engineer. Public clients: entente-web
// (authorization code with PKCE), entente-device (device code). Audience OIDC_AUDIENCE, or what a client asks for as "resource".
// POST /test/sign {header, claims}: a token signed with the provider's key, or by HMAC with its public key where alg says HS256,
// or with a stranger's key where "stranger" is true: for the attacks. OIDC_TTL: how many seconds access tokens live.
import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(resolve(import.meta.dirname, '../../web/package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

const port = Number(process.env.OIDC_PORT ?? 8181);
const issuer = `http://127.0.0.1:${port}`;
const audience = process.env.OIDC_AUDIENCE ?? 'urn:entente:api';
const lifetime = Number(process.env.OIDC_TTL ?? 300);
const kid = randomBytes(8).toString('hex');
const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const strange = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const plants = ['plant-a', 'plant-b', ...Array.from({ length: 9 }, (_, i) => `plant-${i + 1}`)];
const roleOf = (name) => ({ operator: 'operator', olga: 'operator', auditor: 'auditor', ada: 'auditor' })[name] ?? (plants.includes(name) ? 'partner' : undefined);
const machine = (id) => ({ client_id: id, client_secret: `${id}-secret`, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] });
const open = { token_endpoint_auth_method: 'none', application_type: 'native' };

const provider = new Provider(issuer, {
  jwks: { keys: [{ ...own.privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'ES256' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  clientDefaults: { id_token_signed_response_alg: 'ES256' },
  scopes: ['openid', 'offline_access'],
  claims: { openid: ['sub'], profile: ['preferred_username'] },
  clients: [
    ...['operator', 'auditor', 'stranger', 'coordinator', ...plants].map(machine),
    { ...open, client_id: 'entente-web', redirect_uris: (process.env.OIDC_REDIRECTS ?? 'http://127.0.0.1:8443/').split(' '), response_types: ['code'], grant_types: ['authorization_code', 'refresh_token'] },
    { ...open, client_id: 'entente-device', redirect_uris: [], response_types: [], grant_types: ['urn:ietf:params:oauth:grant-type:device_code', 'refresh_token'] },
  ],
  features: {
    clientCredentials: { enabled: true }, deviceFlow: { enabled: true }, devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true, defaultResource: () => audience, useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({ scope: '', audience: resource, accessTokenTTL: lifetime, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
  extraTokenClaims: (_, token) => {
    const name = token.accountId ?? token.clientId;
    return { realm_access: { roles: [roleOf(name) ?? 'default'] }, preferred_username: name, ...((roleOf(name) === 'partner' || name === 'coordinator') && { participant_id: `urn:entente:${name}` }) };
  },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, preferred_username: sub }) }),
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  clientBasedCORS: () => true,
  pkce: { required: () => true },
});

const text = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
provider.use(async (context, next) => {
  if (context.path !== '/test/sign') return next();
  const { header, claims, stranger } = JSON.parse(await new Promise((done) => {
    let body = '';
    context.req.on('data', (piece) => (body += piece)).on('end', () => done(body));
  }));
  const input = `${text({ alg: 'ES256', typ: 'at+jwt', kid, ...header })}.${text(claims)}`;
  const pem = own.publicKey.export({ type: 'spki', format: 'pem' });
  const alg = header?.alg ?? 'ES256';
  const signature = alg === 'none' ? Buffer.alloc(0) : alg === 'HS256' ? createHmac('sha256', pem).update(input).digest()
    : sign('sha256', Buffer.from(input), { key: (stranger ? strange : own).privateKey, dsaEncoding: 'ieee-p1363' });
  context.body = `${input}.${signature.toString('base64url')}`;
});

const server = provider.listen(port, '127.0.0.1', () => console.log(`issuer ${issuer}`));
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { server.close(); server.closeAllConnections(); });
