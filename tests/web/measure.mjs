// How long the pages take, in headless Chromium on this machine: node tests/web/measure.mjs [RUNS]
// First training step after navigation (cold cache, a partner that has joined before) and after "Accept"; the
// longest task of the page's main thread while it trains; the demo's first round after "Start"; what the files weigh.
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { openBrowser } from './browser.mjs';
import { startFederation } from './federation.mjs';

const runs = Number(process.argv[2] ?? 5);
const dist = resolve(import.meta.dirname, '../../web/dist');
const tell = (what, values) => {
  const sorted = [...values].sort((a, b) => a - b);
  console.log(`${what}: ${Math.round(sorted[0])} / ${Math.round(sorted[Math.floor(sorted.length / 2)])} / ${Math.round(sorted.at(-1))} ms (min / median / max of ${sorted.length})`);
};
const firstStep = (page) => page.waitForFunction(() => performance.getEntriesByName('first-step')[0]?.startTime, undefined, { timeout: 60_000, polling: 20 }).then((h) => h.jsonValue());
const watchTasks = () => {
  globalThis.longTasks = [];
  new PerformanceObserver((list) => globalThis.longTasks.push(...list.getEntries().map((e) => e.duration))).observe({ type: 'longtask', buffered: true });
};

const federation = await startFederation({ rounds: 100, natives: 0, partners: 3, wait: 1, presence: 2 });
const [accepted, taken, again, tasks] = [[], [], [], []];
try {
  for (let i = 0; i < runs; i++) {
    const browser = await openBrowser();
    const page = await browser.newPage();
    const { code } = await federation.invite(`plant-${i}`, `Plant ${i}`);
    await page.goto(`${federation.address}/join#code=${code}`);
    await page.getByRole('button', { name: 'Read the agreement' }).click();
    await page.getByLabel('Accepted by').fill('Ada Novak');
    const accept = Date.now();
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByRole('button', { name: 'Use the sample share' }).click();
    const take = page.getByRole('button', { name: 'Take part' });
    await take.waitFor();
    const begin = Date.now();
    await take.click();
    const at = (await firstStep(page)) + (await page.evaluate(() => performance.timeOrigin));
    accepted.push(at - accept);
    taken.push(at - begin);
    await page.waitForTimeout(3000);
    const session = await page.context().newCDPSession(page);
    await session.send('Network.clearBrowserCache');
    await page.addInitScript(watchTasks);
    await page.reload();
    again.push(await firstStep(page));
    await page.waitForTimeout(8000);
    tasks.push(Math.max(0, ...(await page.evaluate(() => globalThis.longTasks))));
    await page.getByRole('button', { name: 'Leave' }).click();
    await page.getByRole('button', { name: 'Leave' }).first().click();
    await page.getByText('You have left.').first().waitFor();
    await browser.closeAll();
  }
  const seconds = (await federation.status()).history.map((r) => r.overhead_ms);
  tell('First step after "Accept", the sample fetched and taken at once', accepted);
  tell('First step after "Take part"', taken);
  tell('First step after navigation, joined before, cold cache', again);
  tell('Longest task of the main thread in 8 s of training (0: none of 50 ms or more)', tasks);
  tell('A round beyond its training, one browser partner alone', seconds);
} finally {
  await federation.stop();
}

const demo = [];
for (let i = 0; i < runs; i++) {
  const browser = await openBrowser({ offline: true });
  const page = await browser.newPage();
  await page.goto(`file://${resolve(dist, 'demo.html')}`);
  const start = page.getByRole('button', { name: 'Start', exact: true });
  await start.waitFor();
  await start.click();
  demo.push(await page.waitForFunction(() => {
    const begun = performance.getEntriesByName('start')[0]?.startTime;
    return begun !== undefined && /Round [2-9]/.test(document.querySelector('#sentence')?.textContent ?? '') && performance.now() - begun;
  }, undefined, { timeout: 60_000, polling: 10 }).then((h) => h.jsonValue()));
  await browser.closeAll();
}
tell('Demo: first round done after "Start"', demo);

for (const name of ['join.html', ...readdirSync(resolve(dist, 'assets')).map((n) => `assets/${n}`)]) {
  const bytes = readFileSync(resolve(dist, name));
  console.log(`${name}: ${bytes.length} bytes, ${brotliCompressSync(bytes).length} brotli`);
}
console.log(`demo.html: ${statSync(resolve(dist, 'demo.html')).size} bytes`);
