// Signs people in at Keycloak from the dashboard, in Chromium, and prints as whom the dashboard shows them.
//   node browser.mjs http://127.0.0.1:8443
import { openBrowser } from '../../web/browser.mjs';

const [, , address] = process.argv;
for (const person of ['olga', 'ada']) {
  const browser = await openBrowser();
  try {
    const page = await browser.newPage();
    await page.goto(address);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('#username').fill(person);
    await page.locator('#password').fill(person);
    await page.locator('#kc-login').click();
    console.log(await page.locator('[data-who]').textContent());
    if (page.url() !== `${address}/`) throw new Error(`the answer stayed in the address: ${page.url()}`);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('link', { name: 'sign out there too' }).waitFor();
  } finally {
    await browser.closeAll();
  }
}
