// Runs the built program in a page of its own: node tests/sameness/in_chromium.mjs build/sameness/wasm
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { openBrowser } from '../web/browser.mjs';

const folder = await mkdtemp(join(tmpdir(), 'entente-sameness-'));
const script = await readFile(join(process.argv[2], 'sameness.js'), 'utf8');
await writeFile(join(folder, 'page.html'), `<!doctype html><pre></pre><script>
  var Module = { print: (line) => document.querySelector('pre').append(line + '\\n'), onAbort: (why) => Module.print('aborted: ' + why) };
</script><script>${script.replaceAll('</script', '<\\/script')}</script>`);
const browser = await openBrowser();
try {
  const page = await browser.newPage();
  await page.goto(`file://${folder}/page.html`);
  await page.waitForFunction(() => /^(end|aborted.*)$/m.test(document.querySelector('pre').textContent), null, { timeout: 600_000 });
  process.stdout.write(await page.locator('pre').textContent());
} finally {
  await browser.closeAll();
  await rm(folder, { recursive: true });
}
