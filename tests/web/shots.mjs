// Screenshots of every page in every state, desktop and phone, light and dark: node tests/web/shots.mjs [OUT] [FILTER]
// Against a stand-in for the coordinator (mock.mjs); axe runs on each state and its findings are printed.
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { axe, draw, openBrowser } from './browser.mjs';
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
  },
};

const looks = [['1280x800', 'light'], ['390x844', 'dark'], ['1280x800', 'dark'], ['390x844', 'light']];
let findings = 0;
for (const [size, colorScheme] of process.env.QUICK ? looks.slice(0, 2) : looks) {
  const [width, height] = size.split('x').map(Number);
  for (const [name, scene] of Object.entries(scenes)) {
    if (!name.startsWith(filter)) continue;
    const browser = await openBrowser({ viewport: { width, height }, colorScheme });
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.log(`${name}: ${error.message}`));
    page.on('console', (m) => { if (m.type() === 'error' && !/status of (4|5)|WebSocket/.test(m.text())) console.log(`${name}: ${m.text()}`); });
    try {
      await scene(page, async (state) => {
        await page.screenshot({ path: `${out}/${[name, state, size, colorScheme].filter(Boolean).join('-')}.png`, fullPage: true });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) console.log(`${name} ${state} ${size}: ${wide} px too wide`);
        // axe is put in by evaluate: script-src 'self' forbids a script tag.
        for (const line of await axe(page)) console.log(`${name} ${state} ${size} ${colorScheme}: ${line}`, ++findings && '');
      });
    } catch (error) {
      console.log(`${name} ${size} ${colorScheme}: ${error.message.split('\n')[0]}`);
    }
    await browser.closeAll();
  }
}
await mock.close();
console.log(`${findings} serious findings of axe`);
