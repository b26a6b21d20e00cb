// Signing in at an identity provider, in a real browser: dashboard and join page, and the answers that are refused.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openBrowser } from './browser.mjs';
import { startFederation } from './federation.mjs';

const audience = 'urn:entente:api';
let provider, federation, issuer, browser;

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

before(async () => {
  const [at, port] = [await freePort(), await freePort()];
  issuer = `http://127.0.0.1:${at}`;
  provider = spawn('node', [resolve(import.meta.dirname, '../e2e/oidc.mjs')], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, OIDC_PORT: String(at), OIDC_REDIRECTS: `http://127.0.0.1:${port}/ http://127.0.0.1:${port}/join`, OIDC_TTL: '35' },
  });
  await new Promise((done, fail) => {
    provider.stdout.on('data', (text) => String(text).includes('issuer ') && done());
    provider.on('exit', () => fail(new Error('the identity provider did not start')));
  });
  federation = await startFederation({ natives: 0, wait: 2, partners: 2, listen: `127.0.0.1:${port}`, more: ['--issuer', issuer, '--audience', audience] });
});

after(async () => {
  provider?.removeAllListeners('exit');
  provider?.kill();
  await federation?.stop();
});

// A browser of its own for each: the provider remembers who was there.
async function withPage(path, work) {
  browser = await openBrowser();
  try {
    const page = await browser.newPage();
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(federation.address + path);
    await work(page, asked);
  } finally {
    await browser.closeAll();
  }
}

async function signIn(page, person) {
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('input[name=login]').fill(person);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('form[action*="/interaction/"] button[type=submit]').click();  // consent
}

const stored = (page) => page.evaluate(() => JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage }));
const refused = async (page, code) => page.getByText(code).waitFor();

test('an operator signs in, is shown as such, is renewed, and signs out', async () => {
  await withPage('/', async (page, asked) => {
    await page.getByRole('button', { name: 'Sign in' }).waitFor();
    assert.deepEqual(await axe(page), []);
    await signIn(page, 'olga');
    await page.locator('[data-who]', { hasText: 'olga, operator' }).waitFor();
    await page.getByRole('heading', { name: 'Invite' }).waitFor();
    assert.deepEqual(await axe(page), []);
    // No token is kept, none is in an address, and the code is out of sight.
    assert.equal(await stored(page), '{}{}');
    assert.equal(page.url(), federation.address + '/');
    assert.ok(asked.every((url) => !url.includes('eyJ')), asked.join('\n'));
    const authorization = new URL(asked.find((url) => url.includes('code_challenge=')));
    assert.equal(authorization.searchParams.get('code_challenge_method'), 'S256');
    assert.ok(authorization.searchParams.get('state').length >= 43 && authorization.searchParams.get('nonce').length >= 43);
    // The token lives for 35 s and is renewed after five.
    await page.waitForRequest((request) => (request.postData() ?? '').includes('grant_type=refresh_token'), { timeout: 15_000 });
    await page.getByLabel('Company').fill('Plant 9');
    await page.getByRole('button', { name: 'Make a join link' }).click();
    await page.getByText('can join once').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    const there = await page.getByRole('link', { name: 'sign out there too' }).getAttribute('href');
    assert.ok(there.startsWith(issuer));
    assert.equal(await page.locator('[data-who]').count(), 0);
    // The answer once more, as somebody would who has seen the address: it is worth nothing.
    await page.goto(asked.find((url) => url.startsWith(federation.address) && url.includes('code=')));
    await refused(page, 'login.state');
  });
});

test('an auditor reads, a partner that has not joined sees nobody, and whoever has no role stays out', async () => {
  await withPage('/', async (page) => {
    await signIn(page, 'ada');
    await page.locator('[data-who]', { hasText: 'ada, auditor' }).waitFor();
    await page.getByText('can change nothing').waitFor();
  });
  await withPage('/', async (page) => {
    await signIn(page, 'plant-2');
    await page.locator('[data-who]', { hasText: 'plant-2, partner' }).waitFor();
    await refused(page, 'auth.not-joined');
    assert.equal(await page.getByRole('heading', { name: 'Ledger' }).count(), 0);
  });
  await withPage('/', async (page) => {
    await signIn(page, 'somebody');
    await refused(page, 'auth.no-role');
  });
});

test('answers that belong to no sign-in of this tab, and ID tokens of another one, are refused', async () => {
  await withPage('/?code=stolen&state=guessed', async (page) => {
    await refused(page, 'login.state');
    assert.equal(page.url(), federation.address + '/');
  });
  for (const [claims, code] of [[{ nonce: 'other' }, 'login.nonce'], [{ aud: 'other' }, 'login.audience'], [{ iss: 'http://127.0.0.1:1' }, 'login.issuer'], [{ exp: 1 }, 'login.expired']]) {
    await withPage('/', async (page) => {
      await page.route(`${issuer}/token`, async (route) => {
        const response = await route.fetch();
        const body = await response.json();
        const [head, payload, signature] = body.id_token.split('.');
        const changed = { ...JSON.parse(Buffer.from(payload, 'base64url')), ...claims };
        body.id_token = [head, Buffer.from(JSON.stringify(changed)).toString('base64url'), signature].join('.');
        await route.fulfill({ response, json: body });
      });
      await signIn(page, 'olga');
      await refused(page, code);
      assert.equal(await page.locator('[data-who]').count(), 0);
    });
  }
});

test('a partner joins without a code, and with one as before', async () => {
  await withPage('/join', async (page) => {
    await page.getByRole('heading', { name: 'Sign in for your company' }).waitFor();
    assert.deepEqual(await axe(page), []);
    await signIn(page, 'plant-1');
    await page.getByRole('heading', { name: /invites plant-1/ }).waitFor();
    await page.getByRole('button', { name: 'Read the agreement' }).click();
    await page.getByLabel('Accepted by').fill('Ada Novak');
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('heading', { name: 'Your data' }).waitFor();
    assert.deepEqual((await federation.status()).participants.map((p) => p.id), ['plant-1']);
    assert.equal(await stored(page), '{}{}');
    // The membership is kept, the provider's token is not: after a reload the page goes on by itself.
    await page.reload();
    await page.getByRole('heading', { name: 'Your data' }).waitFor();
  });
  // Another browser of the same company has another key.
  await withPage('/join', async (page) => {
    await signIn(page, 'plant-1');
    await page.getByRole('button', { name: 'Read the agreement' }).click();
    await page.getByLabel('Accepted by').fill('Ada Novak');
    await page.getByRole('button', { name: 'Accept' }).click();
    await refused(page, 'join.other-key');
  });
  // The operator's click ends it: for the token that was kept, and for whoever signs in again.
  await withPage('/', async (page) => {
    await signIn(page, 'olga');
    const standing = async () => (await federation.status()).participants.map((p) => p.standing);
    await page.getByRole('button', { name: 'Suspend plant-1' }).click();
    assert.deepEqual(await standing(), ['admitted']);
    await page.getByRole('button', { name: 'Yes, suspend plant-1' }).click();
    await page.getByRole('button', { name: 'Let in again plant-1' }).click();
    assert.deepEqual(await standing(), ['suspended']);
    await page.getByRole('button', { name: 'Yes, let in again plant-1' }).click();
    await page.getByRole('button', { name: 'Suspend plant-1' }).waitFor();
    assert.deepEqual(await standing(), ['admitted']);
    await page.getByRole('button', { name: 'Remove plant-1' }).click();
    await page.getByRole('button', { name: 'Keep' }).click();
    await page.getByRole('button', { name: 'Remove plant-1' }).click();
    assert.deepEqual(await axe(page), []);
    await page.getByRole('button', { name: 'Yes, remove plant-1' }).click();
    await page.getByRole('cell', { name: 'ended', exact: true }).waitFor();
    assert.deepEqual((await federation.status()).participants.map((p) => p.standing), ['left']);
  });
  await withPage('/join', async (page) => {
    await signIn(page, 'plant-1');
    await refused(page, 'join.removed');
  });
  const { code } = await federation.invite('plant-3', 'Plant 3');
  await withPage(`/join#code=${code}`, async (page, asked) => {
    await page.getByRole('heading', { name: /invites Plant\s3/ }).waitFor();
    assert.ok(asked.every((url) => url.startsWith(federation.address)), 'with a code nobody else is asked');
    assert.ok(asked.every((url) => !url.includes('signin')), 'and the sign-in code is not fetched');
  });
});
