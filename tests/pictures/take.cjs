// Photographs the console: the tree of sites, one site, one endpoint, the flows of this machine's network, in both languages.
// Usage: node take.cjs ADDRESS FILE_WITH_TOKEN FOLDER
'use strict';
const fs = require('node:fs');
const { chromium } = require('playwright-core');

// A county whose agent's clock is wrong, and one with two switches, so that an endpoint has rows to reject.
const SITE = 'demo-640422';
const SITE_OF_ENDPOINT = 'demo-640106';
const REASONS = { en: 'case 2026-17', zh: '案件 2026-17' };
const SIZE = { width: 1200, height: 760 };
// The simulated silent agent is believed to be silent only after a while, and what is shown then is what is meant.
const SETTLED_WITHIN_MS = 180_000;

async function json(address, token, path) {
  const answer = await fetch(address + path, { headers: { authorization: `Bearer ${token}` } });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function settled(address, token) {
  const until = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const tree = await json(address, token, '/api/v1/sites/demo-640121');
    if (tree.counts.devices_unknown > 0) return;
    if (Date.now() > until) throw new Error('the silent site is still believed');
    await new Promise((done) => setTimeout(done, 1000));
  }
}

// Finished flows are kept at the site within half a minute.
async function traffic(address, token) {
  const until = Date.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const found = await json(address, token, '/api/v1/sites/local/flows?reason=pictures&limit=10');
    if (found.items.some((flow) => flow.application === 'tls')) return;
    if (Date.now() > until) throw new Error('the traffic was not seen');
    await new Promise((done) => setTimeout(done, 1000));
  }
}

async function take(browser, address, token, folder, language, pages) {
  const locale = language === 'zh' ? 'zh-CN' : 'en-GB';
  const context = await browser.newContext({ viewport: SIZE, locale, colorScheme: 'light' });
  const page = await context.newPage();
  await page.goto(`${address}/?lang=${language}`);
  await page.fill('input[name=token]', token);
  await page.click('form.sign-in button');
  for (const [name, path] of pages) {
    await page.goto(address + path);
    // No row is lit by a pointer.
    await page.mouse.move(0, 0);
    await page.screenshot({ path: `${folder}/${name}.${language}.png` });
  }
  await context.close();
}

async function main() {
  const [address, tokenFile, folder] = process.argv.slice(2);
  const token = fs.readFileSync(tokenFile, 'utf8').trim();
  await settled(address, token);
  await traffic(address, token);
  const found = await json(address, token, `/api/v1/endpoints?site=${SITE_OF_ENDPOINT}&q=PC&limit=1`);
  const pages = (language) => [
    ['sites', '/'],
    ['site', `/sites/${SITE}`],
    ['endpoint', `/endpoints/${found.items[0].id}`],
    ['flows', `/sites/local/flows?reason=${encodeURIComponent(REASONS[language])}`],
  ];
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  for (const language of ['en', 'zh']) await take(browser, address, token, folder, language, pages(language));
  await browser.close();
}

main().catch((error) => { console.error(error); process.exit(1); });
