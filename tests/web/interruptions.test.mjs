// What happens to a browser partner in between: pause, a lost coordinator, a closed tab, leaving; and the ways to
// give it data and to join without a mouse. Skipped, with a label, while there is no native binary.
import test, { after } from 'node:test';
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { openBrowser } from './browser.mjs';
import { binary, startFederation } from './federation.mjs';

const skip = existsSync(binary) ? false : `no binary at ${binary}`;
const closing = [];
after(async () => {
  for (const close of closing.reverse()) await close();
});

async function setting(options) {
  const federation = await startFederation(options);
  closing.push(() => federation.stop());
  const browser = await openBrowser();
  closing.push(() => browser.closeAll());
  const until = async (what, check, ms = 60_000) => {
    const end = Date.now() + ms;
    for (;;) {
      const value = await check();
      if (value) return value;
      if (Date.now() > end) throw new Error(`waited in vain for ${what}\n${federation.processes.map((p) => `--- ${p.label}\n${p.output.slice(-800)}`).join('\n')}`);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  return { federation, browser, until };
}

const sentence = (page) => page.locator('#sentence').textContent({ timeout: 5000 }).catch(() => '');
const button = (page, name) => page.getByRole('button', { name, exact: true });

async function toData(page, federation, participant, name) {
  const { code } = await federation.invite(participant, name);
  await page.goto(`${federation.address}/join#code=${code}`);
  await button(page, 'Read the agreement').click();
  await page.getByLabel('Accepted by').fill('Ada Novak');
  await button(page, 'Accept').click();
  await button(page, 'Choose files').waitFor();
}

// As the operating system drops paths on the page.
async function drop(page, paths) {
  const box = await page.locator('.drop').boundingBox();
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: paths, dragOperationsMask: 1 };
  const at = { x: box.x + box.width / 2, y: box.y + 20 };
  for (const type of ['dragEnter', 'dragOver', 'drop']) await session.send('Input.dispatchDragEvent', { type, ...at, data });
  await session.detach();
}

test('data: a dropped folder, gzipped files, a chosen folder; a wrong file is told by name', { skip, timeout: 120_000 }, async () => {
  const { federation, browser } = await setting({ natives: 0, partners: 2, wait: 2 });
  const share = federation.share(1);
  const files = readdirSync(share);
  const folder = mkdtempSync(join(tmpdir(), 'entente-data-'));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  const [plain, packed] = [join(folder, 'plain', 'inner'), join(folder, 'packed')];
  for (const path of [plain, packed]) mkdirSync(path, { recursive: true });
  for (const name of files) {
    copyFileSync(join(share, name), join(plain, name));
    writeFileSync(join(packed, `${name}.gz`), gzipSync(readFileSync(join(share, name)), { level: 1 }));
  }
  // More than the browser tells of a folder at once, before and after the files that count.
  for (let i = 0; i < 120; i++) writeFileSync(join(plain, `${i % 2 ? 'a' : 'z'}-${i}.txt`), 'not data');
  writeFileSync(join(folder, 'orders.csv'), 'a,b');

  const page = await browser.newPage();
  await toData(page, federation, 'plant-a', 'Plant A');
  const posted = [];
  page.on('request', (request) => { if (request.method() !== 'GET') posted.push(request.url()); });
  const digits = () => page.locator('.figures dd').first().textContent();

  await drop(page, [join(folder, 'orders.csv')]);
  await page.locator('.problem').waitFor();
  assert.match(await page.locator('.problem').textContent(), /Expected one IDX file with images and one with labels, found no IDX file in orders\.csv/);

  await drop(page, [join(folder, 'plain')]);
  await button(page, 'Take part').waitFor();
  assert.equal(await page.locator('.problem').count(), 0, 'the problem is gone when it is solved');
  const expected = await digits();
  assert.match(expected, /^\d+\s\d{3}$/);

  for (const take of [
    () => drop(page, [packed]),
    () => page.locator('input[type=file]').first().setInputFiles(readdirSync(packed).map((name) => join(packed, name))),
    () => page.locator('input[type=file]').last().setInputFiles(packed),
  ]) {
    await button(page, 'Take it away again').click();
    await button(page, 'Choose files').waitFor();
    await take();
    await button(page, 'Take part').waitFor();
    assert.equal(await digits(), expected);
  }

  await button(page, 'Take it away again').click();
  const damaged = join(folder, 'train-images.gz');
  writeFileSync(damaged, gzipSync(Buffer.alloc(100_000, 1)).subarray(0, 60));
  await page.locator('input[type=file]').first().setInputFiles([damaged]);
  await page.locator('.problem').waitFor();
  assert.match(await page.locator('.problem').textContent(), /damaged gzip/);
  assert.deepEqual(posted, [], 'nothing of the files was sent');
  await page.close();
});

test('the whole way into the federation with the keyboard alone, the focus always visible', { skip, timeout: 120_000 }, async () => {
  const { federation, browser, until } = await setting({ natives: 0, partners: 2, wait: 2 });
  const page = await browser.newPage();
  const { code } = await federation.invite('plant-k', 'Plant K');
  await page.goto(`${federation.address}/join#code=${code}`);

  async function tabTo(name) {
    for (let i = 0; i < 40; i++) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const at = document.activeElement;
        const style = getComputedStyle(at);
        return { name: at.labels?.[0]?.textContent ?? at.textContent, outlined: at === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) };
      });
      assert.ok(focus.outlined, `the focus is not visible on "${focus.name}"`);
      if (focus.name === name) return;
    }
    throw new Error(`no way with the keyboard to "${name}"`);
  }
  await button(page, 'Read the agreement').waitFor();
  await tabTo('Read the agreement');
  await page.keyboard.press('Enter');
  await page.getByLabel('Accepted by').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'H1', 'a new step begins at its heading');
  await tabTo('Accepted by');
  await page.keyboard.press('Enter');
  await page.locator('.problem').waitFor();
  assert.match(await page.locator('.problem').textContent(), /name of who accepts is missing/);
  await page.keyboard.type('Ada Novak');
  await page.keyboard.press('Enter');
  await button(page, 'Use the sample share').waitFor();
  await tabTo('Use the sample share');
  await page.keyboard.press('Enter');
  await button(page, 'Take part').waitFor({ timeout: 30_000 });
  await tabTo('Take part');
  await page.keyboard.press('Enter');
  await until('taking part', async () => (await page.locator('#sentence').count()) > 0);
  await tabTo('Leave');
  await page.keyboard.press('Enter');
  await page.getByText('Leave for good?').waitFor();
  await tabTo('Stay');
  await page.keyboard.press('Enter');
  await button(page, 'Pause').waitFor();
  await page.close();
});

test('pause and resume, a coordinator lost and back, a closed tab, leaving', { skip, timeout: 300_000 }, async () => {
  const { federation, browser, until } = await setting({ rounds: 100, natives: 2, partners: 3, wait: 2, presence: 2 });
  let page = await browser.newPage();
  const mine = async () => (await federation.status()).participants.find((p) => p.id === 'plant-c');
  const completed = async () => (await federation.status()).completed;
  const contributes = async (more = 1) => {
    const before = (await mine())?.contributions ?? 0;
    await until(`${more} contributions beyond ${before}`, async () => ((await mine())?.contributions ?? 0) >= before + more);
  };
  const goesOnWithout = async () => {
    const [rounds, { contributions }] = [await completed(), await mine()];
    // The round under way may still hold an update of this partner, or wait until it is not present any more.
    await until('two rounds without it', async () => (await completed()) >= rounds + 3);
    assert.ok((await mine()).contributions <= contributions + 1, 'nothing is contributed meanwhile');
  };
  await toData(page, federation, 'plant-c', 'Plant C');
  await button(page, 'Use the sample share').click();
  await button(page, 'Take part').click({ timeout: 30_000 });
  await contributes();

  await button(page, 'Pause').click();
  await until('the word', async () => /^Paused\./.test(await sentence(page)));
  // The coordinator may have counted the update before the page had its answer.
  await until('what was contributed', async () => Number(await page.locator('.figures dd').nth(1).textContent()) >= 1);
  await goesOnWithout();
  await page.reload();
  await button(page, 'Resume').waitFor();
  assert.match(await sentence(page), /^Paused\./, 'a pause survives a reload');
  await button(page, 'Resume').click();
  await contributes();

  await federation.loseServer();
  await until('the word', async () => /cannot be reached. Nothing is lost; the next try is in/.test(await sentence(page)));
  await button(page, 'Leave').click();
  await button(page, 'Leave').click();
  const untold = page.locator('.problem', { hasText: 'was not told that you leave' });
  await untold.waitFor();
  assert.match(await untold.textContent(), /Nothing is computed or sent/);
  await button(page, 'Resume').click();
  await untold.waitFor({ state: 'detached' });
  await until('the word again', async () => /cannot be reached/.test(await sentence(page)));
  await federation.returnServer();
  await until('being back, without a click', async () => /^Round \d+ of/.test(await sentence(page)));
  await contributes();

  await page.close();
  await goesOnWithout();
  page = await browser.newPage();
  await page.goto(`${federation.address}/join`);
  await contributes();
  assert.equal((await federation.status()).participants.filter((p) => p.name === 'Plant C').length, 1, 'the same partner');

  await button(page, 'Leave').click();
  await button(page, 'Leave').click();
  await until('the word', async () => /^You have left\./.test(await sentence(page)));
  assert.equal((await mine()).standing, 'left');
  const kept = await page.evaluate(() => new Promise((resolve, reject) => {
    const open = indexedDB.open('entente');
    open.onerror = () => reject(open.error);
    open.onsuccess = () => {
      const keys = open.result.transaction('store').objectStore('store').getAllKeys();
      keys.onsuccess = () => resolve(keys.result);
    };
  }));
  assert.deepEqual(kept, [], 'key and data are removed from the browser');
  await goesOnWithout();
});

test('a new key: the former one signs it, new agreements follow; begun while the coordinator is away, it is ended after a reload', { skip, timeout: 240_000 }, async () => {
  const { federation, browser, until } = await setting({ rounds: 100, natives: 1, partners: 2, wait: 2, presence: 60 });
  const page = await browser.newPage();
  const mine = async () => (await federation.status()).participants.find((p) => p.id === 'plant-b');
  const rotations = async () => {
    const response = await fetch(`${federation.address}/api/v1/ledger?limit=1000`, { headers: { Authorization: `Bearer ${federation.token}` } });
    return (await response.json()).entries.filter((entry) => entry.kind === 'participant.key' && entry.participant === 'plant-b').length;
  };
  const changes = async (act) => {
    const { update_agreement: agreement, contributions } = await mine();
    const before = await rotations();
    await act();
    await until('contributions under another agreement', async () => {
      const now = await mine();
      return now?.update_agreement && now.update_agreement !== agreement && now.contributions >= contributions + 2;
    });
    assert.equal(await rotations(), before + 1, 'once on the ledger');
  };
  await toData(page, federation, 'plant-b', 'Plant B');
  await button(page, 'Use the sample share').click();
  await button(page, 'Take part').click({ timeout: 30_000 });
  await until('a contribution', async () => ((await mine())?.contributions ?? 0) >= 1);

  await button(page, 'New key').click();
  await button(page, 'Keep it').click();
  assert.equal(await rotations(), 0, 'nothing is changed by looking');
  await changes(async () => {
    await button(page, 'New key').click();
    await button(page, 'Take a new key').click();
  });
  await changes(async () => {
    await federation.loseServer();
    await button(page, 'New key').click();
    await button(page, 'Take a new key').click();
    const untold = page.locator('.problem', { hasText: 'has not confirmed the new key' });
    await untold.waitFor();
    assert.match(await untold.textContent(), /nothing is sent meanwhile/);
    await federation.returnServer();
    await page.reload();
    await button(page, 'Resume').click();
  });
  await page.close();
});
