// Chromium for the tests: a fresh profile for each, nothing but what is on this machine.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createRequire } from 'node:module';

const require = createRequire(resolve(import.meta.dirname, '../../web/package.json'));
const { chromium } = require('playwright-core');
export const axeSource = require.resolve('axe-core/axe.min.js');

export async function openBrowser(options = {}) {
  const profile = await mkdtemp(join(tmpdir(), 'entente-web-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
    ignoreDefaultArgs: ['--enable-unsafe-swiftshader'],
    viewport: { width: 1280, height: 800 },
    ...options,
  });
  context.closeAll = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  return context;
}

// Serious and critical findings of axe on the page as it is now, as lines of text.
export async function axe(page) {
  // By evaluate: the pages' content security policy forbids a script tag.
  await page.evaluate(await readFile(axeSource, 'utf8'));
  const results = await page.evaluate(() => globalThis.axe.run());
  return results.violations
    .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    .flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary?.replace(/\s+/g, ' ')}`));
}

// Strokes of a digit in a unit square.
export const strokes = {
  1: [[[0.5, 0.12], [0.5, 0.88]]],
  7: [[[0.22, 0.2], [0.78, 0.2], [0.62, 0.5], [0.45, 0.88]]],
  0: [Array.from({ length: 25 }, (_, i) => [0.5 + 0.24 * Math.sin((i / 24) * 2 * Math.PI), 0.5 - 0.34 * Math.cos((i / 24) * 2 * Math.PI)])],
};

export async function draw(page, digit) {
  const pad = page.locator('canvas.pad');
  await pad.scrollIntoViewIfNeeded();
  await page.getByRole('button', { name: 'Clear' }).click();
  const box = await pad.boundingBox();
  for (const stroke of strokes[digit]) {
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    await page.mouse.move(...at(stroke[0]));
    await page.mouse.down();
    for (const point of stroke.slice(1)) await page.mouse.move(...at(point), { steps: 8 });
    await page.mouse.up();
  }
  await page.locator('.answer b').waitFor();
  await page.waitForTimeout(200);
  return Number(await page.locator('.answer').getAttribute('data-digit'));
}
