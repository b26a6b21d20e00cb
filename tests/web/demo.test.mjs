// The offline file, opened from disk with the network off: it trains three rounds and reads drawn digits.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { axe, draw, openBrowser } from './browser.mjs';

const file = `file://${resolve(import.meta.dirname, '../../web/dist/demo.html')}`;
const browser = await openBrowser({ offline: true });
after(() => browser.closeAll());

const reached = (page, round) =>
  page.waitForFunction((n) => {
    const found = /Round (\d+)|Done/.exec(document.querySelector('#sentence')?.textContent ?? '');
    return found && (found[0] === 'Done' || Number(found[1]) >= n);
  }, round, { timeout: 60_000, polling: 30 });

async function open(query = '') {
  const page = await browser.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => { if (/^(https?|wss?):/.test(request.url())) wrong.push(`asked for ${request.url()}`); });
  await page.goto(file + query);
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  return { page, wrong, began: Date.now() };
}

test('the offline file trains and reads a drawn digit', async (t) => {
  const { page, wrong, began } = await open();
  await reached(page, 2);
  const first = Date.now() - began;
  t.diagnostic(`first round after ${first} ms`);
  assert.ok(first < 5000, `the first round took ${first} ms`);
  await page.getByText('Alike').click();
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await reached(page, 4);
  await page.getByRole('button', { name: 'Pause' }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.host), 'worker');
  for (const digit of [0, 1, 7]) assert.equal(await draw(page, digit), digit);
  assert.deepEqual(await axe(page), []);
  assert.ok(await page.getByText('Enforced by this software').count() >= 4);
  assert.deepEqual(wrong, []);
  await page.close();
});

test('a digit can be drawn with the keyboard alone', async () => {
  const { page } = await open();
  await reached(page, 4);
  await page.locator('canvas.pad').focus();
  await page.keyboard.press(' ');
  for (let i = 0; i < 12; i++) await page.keyboard.press('ArrowDown');
  await page.locator('.answer b').waitFor();
  await page.waitForTimeout(300);
  assert.equal(await page.locator('.answer').getAttribute('data-digit'), '1');
  await page.close();
});

test('where workers are refused, the page itself trains and stays responsive', async () => {
  const { page, wrong } = await open('?no-worker');
  await reached(page, 2);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.host), 'page');
  const longest = await page.evaluate(async () => {
    let worst = 0;
    for (let i = 0; i < 30; i++) {
      const asked = performance.now();
      await new Promise((done) => setTimeout(done, 10));
      worst = Math.max(worst, performance.now() - asked);
    }
    return worst;
  });
  assert.ok(longest < 1000, `the page was away for ${longest} ms`);
  assert.deepEqual(wrong, []);
  await page.close();
});

test('a contract that asks for more partners than there are: the release is refused, with the reason', async () => {
  const { page } = await open();
  await page.locator('#minCohort').fill('5');
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  const problem = page.locator('.problem');
  await problem.waitFor({ timeout: 60_000 });
  assert.match(await problem.textContent(), /at least 5 .*found 4/);
  await page.close();
});
