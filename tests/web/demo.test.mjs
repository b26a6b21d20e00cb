// The offline file, opened from disk with the network off: it trains three rounds and reads drawn digits; of the other tasks it
// makes the tables, trains on them and says what joining is worth.
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
  await page.locator('.chart canvas').waitFor();
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

const tasks = [
  { label: 'Deliveries', rows: /^Ready: 4.372 order lines/, metrics: ['AUC', 'Average precision', 'Precision in the top 10\u00a0%', 'Brier score ↓'], rounds: 20, good: (together) => together > 0.85 },
  { label: 'Sensors', rows: /^Ready: 1.484 windows of 30 s/, metrics: ['AUC', 'Average precision', 'F1', 'Best F1', 'False alarm rate ↓', 'Missed alarm rate ↓'], rounds: 40, good: (together) => together > 0.85 },
  { label: 'Engines', rows: /^Ready: 7.485 windows of 30 cycles/, metrics: ['RMSE ↓', 'NASA score ↓'], rounds: 40, good: (together) => together < 16 },
];

test('the same federation on tables that the page makes: each one’s score alone and together', { timeout: 240_000 }, async (t) => {
  const page = await browser.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  await page.goto(file);
  for (const { label, rows, metrics, rounds, good } of tasks) {
    await page.getByText(label, { exact: true }).click();
    await page.getByText(rows).waitFor({ timeout: 60_000 });
    assert.equal(await page.locator('canvas.pad').count(), 0, 'no digit is drawn');
    assert.match(await page.locator('fieldset').first().textContent(), /this page makes itself/);
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByText(`Done: ${rounds} rounds`).waitFor({ timeout: 90_000 });
    await page.locator('.chart canvas').waitFor();
    const tables = await page.locator('section[aria-labelledby=worth] table').evaluateAll((all) => all.map((table) => [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => cell.textContent))));
    assert.deepEqual(tables[0].map((row) => row[0]), ['Nordwerk', 'Adria', 'Lumen', 'Halden']);
    assert.deepEqual(tables[1].map((row) => row[0]), metrics);
    for (const [, alone, together, verdict] of tables[0]) {
      if (alone !== together) assert.equal(verdict === 'gains', (Number(together) > Number(alone)) !== metrics[0].endsWith('↓'), `${alone}, ${together}: ${verdict}`);
    }
    const together = Number(tables[1][0][2]);
    t.diagnostic(`${label}: ${metrics[0]} ${tables[1][0][1]} alone, ${together} together`);
    assert.ok(good(together), `${label} learned: ${together}`);
    assert.deepEqual(await axe(page), []);
  }
  assert.deepEqual(wrong, []);
  await page.close();
});
