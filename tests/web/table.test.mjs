// A partner joins late-deliveries with a table as companies export it: semicolons, Windows-1252, decimal commas, two kinds of dates, headers
// of its own. It maps two columns, sees what it gives, trains beside a native partner, is reloaded, and has a model worth having. Then it scores
// orders whose outcome nobody knows, is told which are alerts and why, and takes the scores away: those that `entente score` comes to.
// Skipped, with a label, while there is no native binary (ENTENTE_BINARY names another one).
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { axe, openBrowser } from './browser.mjs';
import { binary } from './federation.mjs';

const skip = existsSync(binary) ? false : `no binary at ${binary}`;
const root = resolve(import.meta.dirname, '../..');
const shots = process.env.ENTENTE_SHOTS;
const rounds = 5;
const scratch = mkdtempSync(join(tmpdir(), 'entente-table-'));
const processes = [];
let browser;
after(async () => {
  await browser?.closeAll();
  for (const child of processes) child.kill('SIGKILL');
  rmSync(scratch, { recursive: true, force: true });
});

function run(args, env = {}) {
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  child.output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.output += data));
  processes.push(child);
  return child;
}

async function until(what, check, ms = 90_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited in vain for ${what}\n${processes.map((p) => `--- ${p.output.slice(-1500)}`).join('\n')}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

// The same table as our own generator's, as an old system in another country would write it.
function messy(text) {
  const [head, ...lines] = text.trim().split('\n').map((line) => line.split(','));
  const names = { quantity: 'Menge', scheduled: 'Wunschtermin', value: 'value' };
  const german = (date) => date.replace(/^(\d+)-(\d+)-(\d+)$/, '$3.$2.$1');
  const rows = lines.map((cells, r) => [...cells.map((cell, i) => {
    if (['quantity', 'value', 'freight'].includes(head[i])) return cell.replace('.', ',');
    return ['ordered', 'scheduled', 'delivered'].includes(head[i]) && r % 2 ? german(cell) : cell;
  }), 'Köln']);
  const all = [[...head.map((h) => names[h] ?? h), 'Straße'], ...rows].map((cells) => cells.join(';')).join('\r\n');
  return Buffer.from(`${all}\r\n`, 'latin1');
}

const without = (text, column) => {
  const at = text.split('\n', 1)[0].split(',').indexOf(column);
  return text.trim().split('\n').map((line) => line.split(',').filter((_, i) => i !== at).join(',')).join('\n');
};

// A coordinator of a story and a native partner, and tables for it and for a page.
async function federate(story, task) {
  const folder = mkdtempSync(join(scratch, `${story}-`));
  execFileSync(binary, ['data', 'make', story, '--partners', '2', '-o', join(folder, 'made')], { stdio: 'pipe' });
  copyFileSync(join(root, `examples/${story}/${task}`), join(folder, task));
  writeFileSync(join(folder, 'plan.toml'), readFileSync(join(root, `examples/${story}/plan.toml`), 'utf8').replace(/^rounds = .*$/m, `rounds = ${rounds}`));
  const table = (n) => join(folder, `made/partner-${n}/${story}.csv`);
  const server = run(['serve', '--plan', join(folder, 'plan.toml'), '--data', join(folder, 'server'), '--listen', '127.0.0.1:0', '--web-dir', join(root, 'web/dist'), '--operator-token-file', join(folder, 'token')]);
  const address = await until('the coordinator', async () => /https?:\/\/127\.0\.0\.1:\d+/.exec(server.output)?.[0]);
  const token = readFileSync(join(folder, 'token'), 'utf8').trim();
  const invite = async (participant) => (await (await fetch(`${address}/api/v1/invitations`, {
    method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ participant, name: participant, role: 'partner', valid_s: 3600 }),
  })).json()).code;
  run(['join', '--url', address, '--data', table(1), '--state', join(folder, 'native'), '--accepted-by', 'A test'], { ENTENTE_JOIN_CODE: await invite('plant-1') });
  // What `entente score` makes of a file with the model that the native partner has got.
  const scoredNatively = async (own, data, ...more) => {
    await until('the native partner’s model', () => existsSync(join(folder, 'native/model.entente')));
    execFileSync(binary, ['score', join(folder, 'native'), data, '--past', own, '--state', join(folder, 'calibration'), '-o', join(folder, 'scores.csv'), ...more], { stdio: 'pipe' });
    return readFileSync(join(folder, 'scores.csv'), 'utf8');
  };
  return { folder, table, address, token, invite, scoredNatively };
}

async function downloaded(page) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download scores (CSV)' }).click()]);
  return readFileSync(await file.path(), 'utf8');
}

test('a messy table is mapped, shown, agreed to and trained on', { skip, timeout: 240_000 }, async (t) => {
  const { folder, table, address, token, invite, scoredNatively } = await federate('late-deliveries', 'made.toml');
  const page = await (browser ??= await openBrowser()).newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => { if (/Content Security Policy/.test(message.text())) wrong.push(message.text()); });
  const shot = async (name) => {
    if (!shots) return;
    for (const [width, scheme] of [[1280, 'light'], [390, 'dark']]) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme: scheme });
      await page.waitForTimeout(200);
      await page.screenshot({ path: `${shots}/table-${name}-${width}.png`, fullPage: true });
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  const sentence = () => page.locator('#sentence').textContent({ timeout: 5000 }).catch(() => '');
  await page.goto(`${address}/join#code=${await invite('plant-2')}`);
  await page.getByText('Disruption risk of an order line').first().waitFor();
  await page.getByText('sums of your rows, which you see first').waitFor();
  await page.getByRole('button', { name: 'Read the agreement' }).click();
  await page.getByLabel('Accepted by').fill('Ada Novak');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.locator('input[aria-label="Table"]').setInputFiles({ name: 'export.csv', mimeType: 'text/csv', buffer: messy(readFileSync(table(2), 'utf8')) });

  // Headers that are known are found; the others are asked for, one after the other.
  await page.getByText('The task needs “scheduled”').waitFor({ timeout: 30_000 });
  assert.equal(await page.getByLabel('Your column for delivered').inputValue(), 'delivered');
  await shot('1-mapping');
  await page.getByLabel('Your column for scheduled').selectOption('Wunschtermin');
  await page.getByText('The task needs “quantity”').waitFor();
  await page.getByLabel('Your column for quantity').selectOption('Menge');
  // Whether 08.01.2017 is in January or in August, nobody guesses.
  await page.getByText(/row 2 \(line 3\).*whether the day or the month comes first/).waitFor();
  await page.getByLabel('Dates like 3/4/2020 mean').selectOption('day-first');
  await page.getByRole('button', { name: 'Take part' }).waitFor();
  const text = await page.locator('main, body').first().textContent();
  assert.match(text, /Separated by semicolons, decimal comma, latin-1/);
  assert.match(text, /Left out: freight, because freight is invoiced after the delivery/);
  assert.match(text, /Not used: Straße/);
  assert.match(text, /What you give once, before training/);
  await page.getByText(/numbers: rows, mean, deviation/).click();
  await page.getByRole('rowheader', { name: 'quantity', exact: true }).last().waitFor();
  assert.deepEqual(await axe(page), []);
  await shot('2-used');
  assert.deepEqual(await (await fetch(`${address}/api/v1/ledger?limit=1000`, { headers: { Authorization: `Bearer ${token}` } })).json().then((l) => l.entries.filter((e) => e.kind === 'update.accepted' && /plant-2/.test(JSON.stringify(e)))), [], 'nothing is given before it is agreed to');
  await page.getByRole('button', { name: 'Take part' }).click();

  await until('a round beyond the statistics', async () => /Round [2-9] of/.test(await sentence()));
  await page.reload();
  await until('the end', async () => (await page.getByRole('heading', { name: 'The model is done' }).count()) > 0);
  await until('the final score', async () => /AUC on your rows.*0\.\d{3} with your data alone, 0\.\d{3} together/.test(await sentence()));
  t.diagnostic(await sentence());
  await shot('3-result');
  assert.deepEqual(await axe(page), []);
  const together = Number(/(0\.\d{3}) together/.exec(await sentence())[1]);
  assert.ok(together > 0.6, `the model knows something: ${together}`);
  // All of the task's metrics, and what has left: sums once, then updates.
  const metrics = await page.locator('table[aria-label="All metrics"] tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.deepEqual(metrics.map(([name]) => name), ['AUC', 'Average precision', 'Precision in the top 10\u00a0%', 'Brier score']);
  for (const [name, alone, all] of metrics) assert.ok(/^0\.\d{3}$/.test(alone) && /^0\.\d{3}$/.test(all), `${name}: ${alone}, ${all}`);
  assert.equal(metrics[0][2], together.toFixed(3));
  const more = page.getByRole('button', { name: /Show all \d+/ });  // of more than eight, and the reload may have cost one
  if (await more.count()) await more.click();
  const left = await page.locator('.leaves li:not(.in)').allTextContents();
  assert.ok(left.length >= rounds - 1, `the reload may have cost an update: ${left.length}`);
  assert.match(left.at(-1), /^Sums of your rows/);
  assert.ok(left.slice(0, -1).every((line) => /^Update of round/.test(line)), left.join());
  const board = await browser.newPage();
  await board.goto(`${address}/#token=${token}`);
  await board.getByText('AUC of the common model, mean over partners').waitFor();
  await until('the chart', async () => (await board.locator('.chart canvas').count()) > 0);
  assert.match(await board.locator('.figures').first().textContent(), /AUC0\.\d{3}/);
  if (shots) await board.screenshot({ path: `${shots}/table-dashboard.png`, fullPage: true });
  // Orders of the last year in the same form, their outcome open. What they are scored by looks back at the partner's own.
  const [names, ...lines] = without(readFileSync(table(2), 'utf8'), 'delivered').split('\n');
  const open = messy([names, ...lines.slice(-400)].join('\n'));
  // On a page that was loaded again, and after a file that is something else.
  await page.reload();
  const rows = page.locator('input[aria-label="Rows to score"]');
  await rows.setInputFiles({ name: 'wrong.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2\n') });
  await page.getByText(/could not be scored\. It has no column “Wunschtermin”.*It was not uploaded/).waitFor({ timeout: 60_000 });
  const sent = [];
  page.on('request', (request) => { if ((request.postDataBuffer()?.length ?? 0) > 1000) sent.push(request.url()); });
  await rows.setInputFiles({ name: 'open-orders.csv', mimeType: 'text/csv', buffer: open });
  const alerts = page.getByRole('list', { name: 'Alerts' }).locator('> li');
  await alerts.first().waitFor({ timeout: 60_000 });
  const [, told] = /open-orders\.csv: (\d+) alerts?(?: in \d+ groups)? among 400 scored rows/.exec(await page.locator('section[aria-labelledby=score]').textContent());
  const strongest = await alerts.first().textContent();
  assert.match(strongest, /Alert: row .+?score 0\.\d+.*scheduled \d{4}-\d\d-\d\d.*\(\+0\.\d+\).*Most like it in your table: row /);
  t.diagnostic(strongest);
  assert.ok(await alerts.first().locator('svg').count() > 1, 'a bar for each reason');
  await shot('4-scored');
  assert.deepEqual(await axe(page), []);
  const csv = await downloaded(page);
  const [head, ...scored] = csv.trim().split('\n');
  assert.equal(head, 'row,line,shipment,order,scheduled,score,alert,reason_1,share_1,reason_2,share_2,reason_3,share_3,similar_rows,similar_labels');
  assert.equal(scored.length, 400);
  assert.equal(scored.filter((line) => line.split(',')[6] === '1').length, Number(told));
  assert.deepEqual(sent, [], 'nothing of the file is uploaded');
  // The model that the native partner has got says the same, to the last digit.
  writeFileSync(join(folder, 'own.csv'), messy(readFileSync(table(2), 'utf8')));
  writeFileSync(join(folder, 'open.csv'), open);
  writeFileSync(join(folder, 'mine.toml'), '[file]\ndates = "day-first"\n\n[columns]\nscheduled = "Wunschtermin"\nquantity = "Menge"\n');
  assert.equal(csv, await scoredNatively(join(folder, 'own.csv'), join(folder, 'open.csv'), '--mapping', join(folder, 'mine.toml')));
  const status = await (await fetch(`${address}/api/v1/status`, { headers: { Authorization: `Bearer ${token}` } })).json();
  assert.equal(status.completed, rounds);
  assert.equal(status.metric, 'auc');
  assert.ok(status.history.filter((r) => r.metric > 0 && r.metric <= 1).length === rounds - 1, JSON.stringify(status.history));
  assert.deepEqual(wrong, []);
});

test('alerts of windows one behind the other are one group', { skip, timeout: 240_000 }, async (t) => {
  const { table, address, invite, scoredNatively } = await federate('sensor-anomalies', 'task.toml');
  await browser?.closeAll(); // this partner is another one's browser
  browser = await openBrowser();
  const page = await browser.newPage();
  await page.goto(`${address}/join#code=${await invite('plant-2')}`);
  await page.getByRole('button', { name: 'Read the agreement' }).click();
  await page.getByLabel('Accepted by').fill('Ada Novak');
  await page.getByRole('button', { name: 'Accept' }).click();
  await page.locator('input[aria-label="Table"]').setInputFiles(table(2));
  await page.getByRole('button', { name: 'Take part' }).click({ timeout: 30_000 });
  await page.getByRole('heading', { name: 'The model is done' }).waitFor({ timeout: 90_000 });
  await page.locator('input[aria-label="Rows to score"]').setInputFiles(table(2));
  const alerts = page.getByRole('list', { name: 'Alerts' }).locator('> li');
  await alerts.first().waitFor({ timeout: 60_000 });
  const csv = await downloaded(page);
  const rows = csv.trim().split('\n').slice(1).map((line) => line.split(',')).filter((cells) => cells[3] === '1').map((cells) => Number(cells[0]));
  // Windows of 30 rows that share none are two groups.
  const groups = rows.filter((row, i) => i === 0 || row - rows[i - 1] >= 30).length;
  assert.ok(groups > 1 && groups < rows.length / 4, `${rows.length} alerts, ${groups} groups`);
  assert.match(await page.locator('section[aria-labelledby=score]').textContent(), new RegExp(`${rows.length} alerts in ${groups} groups among 1.171 scored rows`));
  const strongest = await alerts.first().textContent();
  t.diagnostic(strongest);
  const [, row, count, first, last] = /Alert: row ([\d\s]+)score.*strongest of (\d+) in rows ([\d\s]+) to ([\d\s]+)\./.exec(strongest).map((text) => Number(text.replace(/\s/g, '')) || text);
  assert.equal(rows.filter((r) => r >= first && r <= last).length, count);
  assert.ok(row >= first && row <= last);
  assert.deepEqual(await axe(page), []);
  assert.equal(csv, await scoredNatively(table(2), table(2)));
});
