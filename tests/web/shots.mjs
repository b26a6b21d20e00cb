// Screenshots of every page in every state, desktop and phone, light and dark: node tests/web/shots.mjs [OUT] [FILTER]
// Against a stand-in for the coordinator (mock.mjs), and the scene "live" against a real federation, which also makes
// docs/images/dashboard.png. axe runs on each state; its findings and pages that are too wide are printed.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { axe, draw, openBrowser } from './browser.mjs';
import { startFederation } from './federation.mjs';
import { loadCoreInNode } from './core.mjs';
import { startMock } from './mock.mjs';

const out = process.argv[2] ?? '/tmp/shots';
const filter = process.argv[3] ?? '';
mkdirSync(out, { recursive: true });
const core = await loadCoreInNode();
const seed = new Uint8Array(32).fill(1);
const mock = await startMock({ plan: core.sealPlan(seed), coordinatorKey: core.publicKey(seed), sample: process.env.ENTENTE_MNIST_DIR });
const demo = `file://${resolve(import.meta.dirname, '../../web/dist/demo.html')}`;

const scenes = {
  async join(page, shot) {
    await page.goto(`${mock.address}/join#code=GOOD`);
    await page.getByRole('button', { name: 'Read the agreement' }).waitFor();
    await shot('1-invitation');
    await page.getByRole('button', { name: 'Read the agreement' }).click();
    await page.getByLabel('Accepted by').waitFor();
    await shot('2-agreement');
    await page.getByLabel('Accepted by').fill('Ada Novak');
    await page.getByRole('button', { name: 'Accept' }).click();
    await page.getByText('Drop the files').waitFor();
    await shot('3-data-empty');
    await page.locator('input[type=file]').first().setInputFiles([{ name: 'orders.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b') }]);
    await page.locator('.problem').waitFor();
    await shot('3-data-wrong');
    await page.getByRole('button', { name: 'Use the sample share' }).click();
    await page.getByRole('button', { name: 'Take part' }).waitFor({ timeout: 20_000 });
    await shot('3-data');
    await page.getByRole('button', { name: 'Take part' }).click();
    await page.locator('#sentence').waitFor();
    await page.waitForTimeout(800);
    await shot('4-unreachable');
  },
  async 'join-used'(page, shot) {
    await page.goto(`${mock.address}/join#code=OLD`);
    await page.locator('.problem').waitFor();
    await shot('');
  },
  async dashboard(page, shot) {
    await page.goto(`${mock.address}/`);
    await page.getByLabel('Token').waitFor();
    await shot('sign-in');
    await page.goto(`${mock.address}/?x#token=operator`);
    await page.getByText('Ledger').first().waitFor();
    await page.getByLabel('Company').fill('Plant C');
    await page.getByRole('button', { name: 'Make a join link' }).click();
    await page.waitForTimeout(800);
    await shot('overview');
  },
  async demo(page, shot) {
    await page.goto(demo);
    await page.getByRole('button', { name: 'Start', exact: true }).waitFor();
    await page.waitForTimeout(300);
    await shot('ready');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.waitForFunction(() => /Round [4-9]/.test(document.querySelector('#sentence')?.textContent ?? ''), undefined, { timeout: 60_000 });
    await shot('running');
    await page.waitForFunction(() => /Done/.test(document.querySelector('#sentence')?.textContent ?? ''), undefined, { timeout: 60_000 });
    await draw(page, 7);
    await page.mouse.move(0, 0);
    await shot('done');
    await page.locator('#minCohort').fill('5');
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.locator('.problem').waitFor({ timeout: 60_000 });
    await shot('refused');
    await page.locator('#minCohort').fill('3');
    for (const task of ['Deliveries', 'Sensors', 'Engines']) {
      await page.getByText(task, { exact: true }).click();
      await page.getByText(/^Ready:/).waitFor({ timeout: 60_000 });
      await page.getByRole('button', { name: 'Start', exact: true }).click();
      await page.getByText('Done:').waitFor({ timeout: 90_000 });
      await page.waitForTimeout(300);
      await shot(task.toLowerCase());
    }
  },
  async live(page, shot) {
    const federation = await startFederation({ rounds: 30, natives: 1, partners: 3, wait: 3 });
    try {
      const status = async (check) => { while (!check(await federation.status())) await page.waitForTimeout(100); };
      const board = await page.context().newPage();
      await board.goto(`${federation.address}/#token=${federation.token}`);
      await board.getByText('Ledger').first().waitFor();
      await board.waitForTimeout(1500);
      await shot('dashboard-waiting', board);
      const { code } = await federation.invite('plant-c', 'Plant C');
      await page.goto(`${federation.address}/join#code=${code}`);
      await page.getByRole('button', { name: 'Read the agreement' }).click();
      await page.getByLabel('Accepted by').fill('Ada Novak');
      await page.getByRole('button', { name: 'Accept' }).click();
      await page.getByRole('button', { name: 'Use the sample share' }).click();
      await page.getByRole('button', { name: 'Take part' }).click({ timeout: 30_000 });
      await page.waitForTimeout(1500);
      await shot('join-waiting');
      await federation.startNative(2);
      await page.getByText('Training on your').first().waitFor({ timeout: 30_000 });
      await shot('join-first-round');
      await status((s) => s.completed >= 16);
      await board.waitForTimeout(300);
      await board.setViewportSize({ width: 1280, height: 1040 });
      await board.emulateMedia({ colorScheme: 'light' });
      await board.waitForTimeout(300);
      await board.screenshot({ path: resolve(import.meta.dirname, '../../docs/images/dashboard.png') });
      await shot('dashboard-training', board);
      await shot('join-training');
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByText('Paused.').first().waitFor();
      await shot('join-paused');
      await page.getByRole('button', { name: 'Resume' }).click();
      await page.getByRole('button', { name: 'Show the last update' }).click();
      await page.getByText('Download it').waitFor();
      await shot('join-last-update');
      await status((s) => s.phase === 'finished');
      await shot('dashboard-finished', board);
      await board.getByText('Global model to').first().click();
      await shot('dashboard-agreement', board);
      await page.getByRole('heading', { name: 'The model is done' }).waitFor({ timeout: 120_000 });
      await draw(page, 7);
      await page.mouse.move(0, 0);
      await shot('join-result');
    } finally {
      await federation.stop();
    }
  },
};

const looks = [['1280x800', 'light'], ['390x844', 'dark'], ['1280x800', 'dark'], ['390x844', 'light']];
let findings = 0;

async function look(page, name, size, colorScheme) {
  const [width, height] = size.split('x').map(Number);
  await page.setViewportSize({ width, height });
  await page.emulateMedia({ colorScheme });
  await page.waitForTimeout(150);
  await page.screenshot({ path: `${out}/${name}-${size}-${colorScheme}.png`, fullPage: true });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) console.log(`${name} ${size}: ${wide} px too wide`);
  for (const line of await axe(page)) console.log(`${name} ${size} ${colorScheme}: ${line}`, ++findings && '');
}

for (const [name, scene] of Object.entries(scenes)) {
  if (!name.startsWith(filter)) continue;
  const browser = await openBrowser();
  const page = await browser.newPage();
  browser.on('weberror', (error) => console.log(`${name}: ${error.error().message}`));
  browser.on('console', (m) => { if (m.type() === 'error' && !/status of (4|5)|WebSocket/.test(m.text())) console.log(`${name}: ${m.text()}`); });
  try {
    await scene(page, async (state, of = page) => {
      for (const [size, scheme] of process.env.QUICK ? looks.slice(0, 2) : looks) await look(of, [name, state].filter(Boolean).join('-'), size, scheme);
    });
  } catch (error) {
    console.log(`${name}: ${error.message.split('\n')[0]}`);
  }
  await browser.closeAll();
}
await mock.close();
console.log(`${findings} serious findings of axe`);
