// Photographs dashboards: node photograph.cjs ADDRESS FOLDER BOARD…
'use strict';
const { chromium } = require('playwright-core');

// A wall has 1920 and more, a laptop 1366.
const WIDTH = Number(process.env.WIDTH ?? 1600);
const PNG = process.env.FORMAT === 'png';

async function main() {
  const [address, folder, ...boards] = process.argv.slice(2);
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  });
  let wrong = 0;
  for (const language of ['en', 'zh']) {
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 }, locale: language === 'zh' ? 'zh-CN' : 'en-GB', timezoneId: 'Asia/Shanghai' });
    page.on('pageerror', (error) => { console.error(`${error.message}`); wrong += 1; });
    for (const board of boards.flatMap((it) => it.split(' '))) {
      const asked = new URLSearchParams(process.env.VARIABLES ?? '');
      asked.set('board', board);
      asked.set('language', language);
      if (process.env.NOW) asked.set('now', process.env.NOW);
      await page.goto(`${address}/?${asked}`);
      await page.waitForSelector('#panels', { timeout: 60_000 });
      await page.waitForFunction(() => [...document.querySelectorAll('#panels > div')].every((it) => it.dataset.done), null, { timeout: 120_000 });
      const errors = await page.$$eval('[data-error]', (all) => all.map((it) => it.dataset.error));
      for (const error of errors) console.error(`${board}: ${error}`);
      wrong += errors.length;
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      const kind = PNG ? { path: `${folder}/${board}.${language}.png` } : { path: `${folder}/${board}.${language}.jpg`, type: 'jpeg', quality: 78 };
      await page.screenshot({ ...kind, fullPage: true });
    }
    await page.close();
  }
  await browser.close();
  process.exitCode = wrong ? 1 : 0;
}

main().catch((error) => { console.error(error); process.exit(1); });
