// One partner and a plan that cuts batches into slices: the model after two rounds has one digest, whether the partner is a
// native program, a page with threads, or a page whose Workers share no memory. Skipped, with a label, without the binary.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { openBrowser } from './browser.mjs';
import { binary, startFederation } from './federation.mjs';

const skip = existsSync(binary) ? (cpus().length > 1 ? false : 'one processor: no page trains on several threads') : `no binary at ${binary}`;
const rounds = 2;
const open = [];
after(async () => {
  for (const one of open) await one();
});

async function federation(natives) {
  const started = await startFederation({ rounds, natives, partners: 1, wait: 1, slices: 4 });
  open.push(() => started.stop());
  return started;
}

async function model({ status, processes }) {
  const end = Date.now() + 120_000;
  for (;;) {
    const { phase, completed, model_digest: digest } = await status();
    if (completed === rounds) return digest;
    if (Date.now() > end) throw new Error(`the federation did not end (${phase})\n${processes.map((p) => p.output.slice(-1500)).join('\n')}`);
    await new Promise((done) => setTimeout(done, 200));
  }
}

// isolated: the page with the headers of the coordinator, or as behind a server that drops them.
async function inPage(isolated) {
  const started = await federation(0);
  const browser = await openBrowser();
  open.push(() => browser.closeAll());
  const page = await browser.newPage();
  if (!isolated) {
    await page.route(`${started.address}/join`, async (route) => {
      const response = await route.fetch();
      const headers = Object.fromEntries(Object.entries(response.headers()).filter(([name]) => !name.startsWith('cross-origin-')));
      await route.fulfill({ response, headers });
    });
  }
  const { code } = await started.invite('plant-1', 'Plant 1');
  await page.goto(`${started.address}/join#code=${code}`);
  assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
  await page.getByRole('button', { name: 'Read the agreement' }).click();
  await page.getByLabel('Accepted by').fill('Ada Novak');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.getByRole('button', { name: 'Use the sample share' }).click();
  await page.getByRole('button', { name: 'Take part' }).click({ timeout: 30_000 });
  const threads = page.locator('#threads');
  await threads.waitFor();
  const said = [await threads.getAttribute('data-kind'), await threads.textContent()];
  if (process.env.ENTENTE_SHOTS) await page.screenshot({ path: `${process.env.ENTENTE_SHOTS}/join-threads-${said[0]}.png`, fullPage: true });
  // Whoever pauses begins the round once more, with whatever computed before.
  await page.getByRole('button', { name: 'Pause' }).click();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator(`#threads[data-kind=${said[0]}]`).waitFor();
  const digest = await model(started);
  await browser.closeAll();
  open.pop();
  return { digest, said };
}

test('a native partner, a page with threads and a page with Workers make the same model', { skip, timeout: 400_000 }, async () => {
  const expected = await model(await federation(1));
  assert.match(expected, /^[0-9a-f]{64}$/);
  const cores = Math.min(8, cpus().length);
  const shared = await inPage(true);
  assert.deepEqual(shared.said, ['shared', `This computer trains on ${cores} threads.`]);
  assert.equal(shared.digest, expected);
  const workers = await inPage(false);
  assert.deepEqual(workers.said, ['workers', `This computer trains on ${Math.min(4, cores)} threads.`]);
  assert.equal(workers.digest, expected);
});
