// A third partner joins two companies with connectors of their own through the join link, trains, is reloaded in the middle
// and finishes.
// Skipped, with a label, while there is no native binary (ENTENTE_BINARY names another one).
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { axe, draw, openBrowser } from './browser.mjs';
import { binary, startFederation } from './federation.mjs';

const skip = existsSync(binary) ? false : `no binary at ${binary}`;
const shots = process.env.ENTENTE_SHOTS;
const rounds = 6;
let federation;
let browser;
after(async () => {
  await browser?.closeAll();
  await federation?.stop();
});

async function until(what, check, ms = 120_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}\n${federation.processes.map((p) => `--- ${p.label}\n${p.output.slice(-1500)}`).join('\n')}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

test('joins by the link, trains, reloads, finishes', { skip, timeout: 240_000 }, async (t) => {
  federation = await startFederation({ rounds, connectors: true });
  browser = await openBrowser();
  const page = await browser.newPage();
  const wrong = [];
  const foreign = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => { if (/Content Security Policy/.test(message.text())) wrong.push(message.text()); });
  page.on('request', (request) => { if (!request.url().startsWith(federation.address) && !/^(blob|data):/.test(request.url())) foreign.push(request.url()); });
  const shot = (name) => shots && page.screenshot({ path: `${shots}/${name}.png`, fullPage: true });
  const sentence = () => page.locator('#sentence').textContent({ timeout: 5000 }).catch(() => '');

  const { code, link } = await federation.invite('plant-c', 'Plant C');
  assert.match(link, /\/join#code=/);
  await page.goto(`${federation.address}/join#code=${code}`);
  await page.getByRole('button', { name: 'Read the agreement' }).click();
  await page.getByLabel('Accepted by').fill('Ada Novak');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('button', { name: 'Use the sample share' }).click();
  await page.getByRole('button', { name: 'Take part' }).click({ timeout: 30_000 });

  await until('training in the browser', async () => /Training on your/.test(await sentence()));
  assert.deepEqual(await axe(page), []);
  await until('round 3', async () => /Round [3-9] of/.test(await sentence()));
  await shot('join-real-4-training');
  const before = await page.getByText(/Update of round/).count();
  assert.ok(before >= 1, 'what left is listed');

  await page.reload();
  await until('going on after the reload, without a click', async () => /Round \d+ of/.test(await sentence()));
  assert.ok((await page.getByText(/Update of round/).count()) >= before, 'the list survives the reload');

  await until('the end', async () => (await page.getByRole('heading', { name: 'The model is done' }).count()) > 0);
  await until('the final score', async () => /\d\s%.*alone, .*\d\s%.*together/.test(await sentence()));
  t.diagnostic(await sentence());
  await page.waitForTimeout(1500);
  for (const digit of [0, 1, 7]) assert.equal(await draw(page, digit), digit);
  await shot('join-real-5-result');
  assert.deepEqual(await axe(page), []);

  const status = await federation.status();
  const mine = status.participants.filter((p) => /plant-c|Plant C/.test(`${p.id} ${p.name}`));
  assert.equal(mine.length, 1, 'one partner, not two');
  assert.ok(mine[0].contributions >= rounds - 1, `contributions: ${mine[0].contributions}`);
  assert.equal(status.completed, rounds);
  const space = await (await fetch(`${federation.address}/api/v1/connector`, { headers: { Authorization: `Bearer ${federation.token}` } })).json();
  assert.deepEqual(space.peers.map((p) => p.participant).sort(), ['plant-1', 'plant-2']);
  assert.equal(space.processes.negotiations.filter((n) => n.state === 'FINALIZED').length, 4, 'once for each company and direction');
  assert.deepEqual(wrong, []);
  assert.deepEqual(foreign, []);

  const dashboard = await browser.newPage();
  dashboard.on('pageerror', (error) => wrong.push(error.message));
  await dashboard.goto(`${federation.address}/#token=${federation.token}`);
  await dashboard.getByRole('heading', { name: 'Ledger' }).waitFor();
  await until('the ledger on the dashboard', async () => (await dashboard.getByText('update.accepted').count()) > 0, 15_000);
  await dashboard.getByRole('heading', { name: 'Data space' }).waitFor();
  await dashboard.getByText(/^Updates of .*, to us/).first().click();
  await dashboard.getByRole('region', { name: 'Data space' }).locator('p', { hasText: /^urn:fl:.*:updates$/ }).first().waitFor();
  assert.equal(new URL(dashboard.url()).hash, '', 'the token is not left in the address');
  if (shots) await dashboard.screenshot({ path: `${shots}/dashboard-real.png`, fullPage: true });
  assert.deepEqual(await axe(dashboard), []);
  assert.deepEqual(wrong, []);

  // The same link again, from elsewhere: refused, in words.
  const other = await openBrowser();
  const second = await other.newPage();
  await second.goto(`${federation.address}/join#code=${code}`);
  await second.locator('.problem').waitFor();
  assert.match(await second.locator('.problem').textContent(), /used before/);
  await other.closeAll();
});
