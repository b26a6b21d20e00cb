// "Check this round", for a partner on the join page and for operator and auditor on the dashboard: it holds, and what somebody
// changes on the way is named. An auditor finds no button that changes anything.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { axe, openBrowser } from './browser.mjs';
import { loadCoreInNode } from './core.mjs';
import { binary, startFederation } from './federation.mjs';

const skip = existsSync(binary) ? false : `no binary at ${binary}`;
const shots = process.env.ENTENTE_SHOTS;
const rounds = 3;
let federation;
let browser;
after(async () => {
  await browser?.closeAll();
  await federation?.stop();
});

async function shot(page, name) {
  if (!shots) return;
  for (const [width, scheme] of [[1280, 'light'], [390, 'light'], [1280, 'dark']]) {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.waitForTimeout(250);
    await page.screenshot({ path: `${shots}/proof-${name}-${width}-${scheme}.png`, fullPage: true });
  }
  await page.setViewportSize({ width: 1280, height: 800 });
}

// The bytes of one answer, one of them another.
async function tamper(page, pattern, change) {
  let done = false;
  await page.context().route(pattern, async (route) => {
    if (done) return route.continue();
    done = true;
    const response = await route.fetch();
    return route.fulfill({ response, body: change(await response.body()) });
  });
  return () => page.context().unroute(pattern);
}
const flip = (at) => (body) => { body[at < 0 ? body.length + at : at] ^= 1; return body; };

test('a partner checks a round against what its page sent and received', { skip, timeout: 240_000 }, async () => {
  federation = await startFederation({ rounds, policy: 'delete_after_days = 30', witnesses: 3, more: ['--keep-updates', 'all'] });
  browser = await openBrowser();
  const page = await browser.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => { if (/Content Security Policy/.test(message.text())) wrong.push(message.text()); });
  const { code } = await federation.invite('plant-c', 'Plant C');
  await page.goto(`${federation.address}/join#code=${code}`);
  await page.getByRole('button', { name: 'Read the agreement' }).click();
  await page.getByLabel('Accepted by').fill('Ada Novak');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('button', { name: 'Use the sample share' }).click();
  await page.getByRole('button', { name: 'Take part' }).click({ timeout: 30_000 });
  await page.getByRole('heading', { name: 'The model is done' }).waitFor({ timeout: 180_000 });

  const said = page.locator('[data-holds]');
  for (const round of [rounds, 1]) {
    await page.getByLabel('Round', { exact: true }).selectOption(String(round));
    await page.getByRole('button', { name: 'Check this round' }).click();
    await page.getByRole('heading', { name: `Round ${round} holds.` }).waitFor();
    const text = await said.textContent();
    for (const part of ['signed by the coordinator that you joined', 'goes on from the one that this page saw', 'Your update is in it, unchanged, as one of 3', 'It began with the model that you trained on', 'the model that you were given next']) assert.ok(text.includes(part), `${part}: ${text}`);
  }
  assert.deepEqual(await axe(page), []);
  await shot(page, 'join-holds');

  // Each byte of the signed text, the record, the log's proof.
  for (const change of [
    (r) => { r.receipt.payload = (r.receipt.payload[40] === 'A' ? 'B' : 'A') + r.receipt.payload.slice(1); },
    (r) => { r.updates[0].record = r.updates[0].record.replace(/^./, (c) => (c === 'B' ? 'C' : 'B')); },
    (r) => { r.proof = r.proof.replace(/\nindex (\d+)/, (_, n) => `\nindex ${Number(n) - 1}`); },
  ]) {
    // What the page said of the change before may not be taken for what it says of this one.
    await page.getByRole('button', { name: 'Check this round' }).click();
    await page.getByRole('heading', { name: 'Round 1 holds.' }).waitFor();
    const restore = await tamper(page, '**/api/v1/receipts/*', (body) => {
      const receipt = JSON.parse(body);
      change(receipt);
      return JSON.stringify(receipt);
    });
    await page.getByRole('button', { name: 'Check this round' }).click();
    await page.getByRole('heading', { name: 'Round 1 does not hold.' }).waitFor();
    await restore();
  }
  assert.deepEqual(await axe(page), []);
  await shot(page, 'join-does-not-hold');
  // Another round's receipt in its place, good in itself.
  await page.context().route('**/api/v1/receipts/1', async (route) => route.fulfill({ response: await route.fetch({ url: `${federation.address}/api/v1/receipts/2` }) }));
  await page.getByRole('button', { name: 'Check this round' }).click();
  await page.getByText('the receipt of round 2').waitFor();
  await page.context().unroute('**/api/v1/receipts/1');
  // Each round but the first has waited until all three, this page too, had cosigned the log.
  const { entries } = await (await fetch(`${federation.address}/api/v1/ledger?limit=1000`, { headers: { Authorization: `Bearer ${federation.token}` } })).json();
  assert.equal(entries.filter((e) => e.kind === 'round.opened').length, rounds);
  assert.deepEqual(entries.filter((e) => e.kind === 'round.unwitnessed'), []);
  assert.deepEqual(wrong, []);
});

async function dashboard(token) {
  const page = await browser.newPage();
  await page.goto(`${federation.address}/#token=${token}`);
  await page.getByRole('heading', { name: 'Proof' }).waitFor();
  await page.getByText('Receipt of round 2').click();
  await page.getByRole('button', { name: 'Check this round' }).waitFor();
  return page;
}

test('the operator computes a round again in the page', { skip, timeout: 120_000 }, async () => {
  const page = await dashboard(federation.token);
  const check = () => page.getByRole('button', { name: 'Check this round' }).click();
  await check();
  await page.getByRole('heading', { name: 'Round 2 holds, down to the last bit.' }).waitFor({ timeout: 30_000 });
  assert.match(await page.locator('[data-holds]').textContent(), /Computed again from the 3 updates of .*: the same model, bit for bit/);
  assert.deepEqual(await axe(page), []);
  await shot(page, 'dashboard-holds');
  for (const [pattern, change, named] of [
    ['**/api/v1/blobs/*', flip(-200), /round|model/],
    ['**/api/v1/log/tile/entries/**', flip(70), /entr|record/],
    ['**/api/v1/log/tile/0/**', flip(40), /tile\/0\/000/],
    ['**/api/v1/ledger/entries*', flip(300), /record|ledger/],
  ]) {
    const restore = await tamper(page, pattern, change);
    await check();
    const found = await Promise.race([page.getByRole('heading', { name: 'Round 2 does not hold.' }).waitFor().then(() => '[data-holds]'), page.locator('.problem').first().waitFor().then(() => '.problem')]);
    assert.match(await page.locator(found).first().textContent(), named, pattern);
    await restore();
    await check();
    await page.getByRole('heading', { name: 'Round 2 holds, down to the last bit.' }).waitFor();
  }
  const restore = await tamper(page, '**/api/v1/log/tile/0/**', flip(40));
  await check();
  await page.getByRole('heading', { name: 'Round 2 does not hold.' }).waitFor();
  assert.deepEqual(await axe(page), []);
  await shot(page, 'dashboard-does-not-hold');
  await restore();
  await page.close();
});

test('an auditor sees it all, changes nothing, and is told what it cannot check', { skip, timeout: 120_000 }, async () => {
  const core = await loadCoreInNode();
  const seed = new Uint8Array(32).fill(9);
  const api = async (path, body, token) => (await fetch(`${federation.address}/api/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) }, body: JSON.stringify(body) })).json();
  const { code } = await api('invitations', { participant: 'auditor-1', name: 'An auditor', role: 'auditor' }, federation.token);
  const { token } = await api('join', { code, public_key: core.publicKey(seed), signature: core.signJoin(seed, code) });
  const page = await dashboard(token);
  await page.getByRole('button', { name: 'Check this round' }).click();
  await page.getByRole('heading', { name: 'What can be checked of round 2 without its updates holds.' }).waitFor({ timeout: 30_000 });
  assert.match(await page.locator('[data-holds]').textContent(), /not for your role to read/);
  for (const heading of ['Partners', 'Rounds', 'Agreements', 'Uses and refusals', 'Proof', 'Ledger']) assert.equal(await page.getByRole('heading', { name: heading, exact: true }).count(), 1, heading);
  await page.getByText('Plant C', { exact: true }).last().waitFor();
  await page.locator('section[aria-labelledby=uses] summary').first().click();
  await page.getByText('Its updates are in the models of rounds 1 to 3.').first().waitFor();
  assert.match(await page.locator('section[aria-labelledby=uses] details[open]').textContent(), /Agreements2Updates counted3Updates refused0Models given4Denied by policy0/);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: /^Save the evidence of/ }).first().click()]);
  assert.match(download.suggestedFilename(), /^evidence-plant-/);
  const evidence = JSON.parse(await (await import('node:fs/promises')).readFile(await download.path(), 'utf8'));
  assert.ok(evidence.records.length > 8);
  assert.deepEqual([...new Set(evidence.records.map((r) => r.participant ?? evidence.participant))], [evidence.participant]);
  for (const name of await page.locator('button').evaluateAll((all) => all.map((b) => b.getAttribute('aria-label') ?? b.textContent))) assert.doesNotMatch(name, /Invite|Remove|Make|Rotate|Revoke|Suspend/, 'a button of the operator’s');
  assert.deepEqual(await axe(page), []);
  await shot(page, 'auditor');
});
