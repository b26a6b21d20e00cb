// The page that a simulation on tables leaves: from a disk, without a network, on a desk and on a phone.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { axe, openBrowser } from './browser.mjs';
import { binary } from './federation.mjs';

const skip = existsSync(binary) ? false : `no binary at ${binary}`;
const example = resolve(import.meta.dirname, '../../examples/late-deliveries');
const folder = mkdtempSync(join(tmpdir(), 'entente-report-'));
let browser;
after(async () => {
  await browser?.closeAll();
  rmSync(folder, { recursive: true, force: true });
});

test('its curves, tables and bytes are there; axe finds nothing, and nothing is wider than the page', { skip, timeout: 60_000 }, async () => {
  const entente = (...words) => execFileSync(binary, words, { stdio: 'pipe' });
  entente('data', 'make', 'late-deliveries', '--partners', '2', '--size', '300', '-o', folder);
  const tables = [1, 2].flatMap((n) => ['--table', join(folder, `partner-${n}`, 'late-deliveries.csv')]);
  browser = await openBrowser({ offline: true });
  const page = await browser.newPage();
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => { if (!request.url().startsWith('file:')) wrong.push(request.url()); });
  for (const [name, model] of [['network', []], ['trees', ['--model', join(example, 'trees.toml')]]]) {
    const out = join(folder, name);
    entente('simulate', join(example, 'plan.toml'), '--task', join(example, 'made.toml'), ...model, ...tables, '--rounds', '3', '--seeds', '2', '--alone', '--quiet', '--out', out);
    await page.goto(pathToFileURL(join(out, 'report.html')).href);
    for (const [width, colorScheme] of [[1280, 'light'], [390, 'dark']]) {
      await page.setViewportSize({ width, height: 844 });
      await page.emulateMedia({ colorScheme });
      assert.deepEqual(await axe(page), [], `${name} ${width}`);
      assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true, `${name} ${width}`);
    }
    assert.equal(await page.locator('polyline.thin').count(), 2);
    for (const heading of ['What came of it', 'Who gains and who loses by joining', 'How it came about, first seed', 'What crossed the border, first seed']) {
      await page.getByRole('heading', { name: heading }).waitFor({ timeout: 1000 });
    }
    await page.getByText('The curves of all rows as a table').click();
    await page.getByRole('region', { name: 'The common model on all rows' }).waitFor({ timeout: 1000 });
  }
  assert.deepEqual(wrong, []);
});
