/**
 * The pictures of the dashboard in docs/images: a real daemon, a real browser, the example data that the page
 * makes itself. Run it after a change of the dashboard, and look at what it wrote.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { startTestDaemon } from '@tollama/daemon/testing/test-daemon';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, launchChromium } from '../tests/dashboard/chromium.ts';

const root = join(import.meta.dirname, '..');
const images = join(root, 'docs/images');
const MAX_BYTES = 300_000;

interface Look {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

const WIDE: Look = { width: 1360, height: 850, colorScheme: 'light' };
const DARK: Look = { ...WIDE, colorScheme: 'dark' };
const NARROW: Look = { width: 360, height: 760, colorScheme: 'light' };

const open = async (browser: Browser, url: string, look: Look, view: string): Promise<Page> => {
  const { width, height, colorScheme } = look;
  const page = await browser.newPage({ viewport: { width, height }, colorScheme });
  await page.goto(`${url}/dashboard#/${view}`);
  await page.getByText('Daemon running').waitFor();
  return page;
};

const save = async (page: Page, name: string): Promise<void> => {
  const path = join(images, `${name}.png`);
  await page.screenshot({ path });
  const { size } = statSync(path);
  if (size > MAX_BYTES) throw new Error(`${name}.png has ${size} bytes, more than ${MAX_BYTES}`);
  console.log(`docs/images/${name}.png ${Math.round(size / 1000)} kB`);
  await page.close();
};

const choose = (page: Page, name: string): Promise<void> =>
  page.locator('.chip', { hasText: new RegExp(`^${name}$`) }).click();

/** The playground after a run of some models, with the cursor in the fan. */
const forecast = async (
  page: Page,
  models: readonly string[],
  isHeldOut = false,
): Promise<void> => {
  for (const model of models) await choose(page, model);
  if (isHeldOut) await page.getByText('Hold out the end').click();
  await page.getByRole('button', { name: 'Forecast' }).click();
  await page.getByRole('heading', { name: 'Results' }).waitFor();
  await page.getByRole('button', { name: 'CSV', exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelector('.run-bar .spinner') === null);
};

const pointAt = async (page: Page, share: number): Promise<void> => {
  const box = await page.locator('.u-over').boundingBox();
  if (box) await page.mouse.move(box.x + box.width * share, box.y + box.height * 0.4);
};

/** A few hundred forecasts, so that the metrics show something. */
const traffic = async (url: string): Promise<void> => {
  const times = Array.from({ length: 48 }, (_, i) => new Date(i * 3_600_000).toISOString());
  const body = (model: string) => ({
    model,
    horizon: 12,
    series: [{ id: 's', freq: 'h', timestamps: times, target: times.map((_, i) => i % 24) }],
  });
  const post = (model: string) =>
    fetch(`${url}/v1/forecast`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body(model)),
    });
  for (let i = 0; i < 20; i++) {
    await Promise.all(Array.from({ length: 2 + (i % 7) }, () => post(i % 5 ? 'mock' : 'theta')));
  }
};

const createRandom = async (url: string, name: string): Promise<void> => {
  const config = JSON.parse(
    readFileSync(join(root, 'bench/configs/chronos-bolt-tiny.json'), 'utf8'),
  );
  await fetch(`${url}/api/create`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: name, random: { config }, stream: false }),
  });
};

const takeAll = async (browser: Browser, url: string): Promise<void> => {
  const light = await open(browser, url, WIDE, 'forecast');
  await forecast(light, ['seasonal-naive', 'mstl'], true);
  await pointAt(light, 0.93);
  await save(light, 'dashboard-forecast');

  const dark = await open(browser, url, DARK, 'forecast');
  await forecast(dark, []);
  await pointAt(dark, 0.95);
  await save(dark, 'dashboard-forecast-dark');

  await save(await open(browser, url, WIDE, 'models'), 'dashboard-models');

  const metrics = await open(browser, url, DARK, 'metrics');
  for (let i = 0; i < 8; i++) {
    await traffic(url);
    await metrics.waitForResponse((response) => response.url().endsWith('/metrics'));
  }
  await save(metrics, 'dashboard-metrics-dark');

  await save(await open(browser, url, WIDE, 'system'), 'dashboard-system');

  const narrow = await open(browser, url, NARROW, 'forecast');
  await forecast(narrow, []);
  await narrow.getByRole('heading', { name: 'demand' }).scrollIntoViewIfNeeded();
  await narrow.locator('.fan-chart').scrollIntoViewIfNeeded();
  await save(narrow, 'dashboard-narrow');
};

const executablePath = chromiumPath();
if (executablePath === undefined) {
  console.error('Error: there is no Chromium; install one, or name it by CHROMIUM_PATH');
  process.exit(1);
}
mkdirSync(images, { recursive: true });
execFileSync(process.execPath, [join(root, 'scripts/build-dashboard.mjs'), '--if-changed'], {
  stdio: 'inherit',
});
await using daemon = await startTestDaemon({ TOLLAMA_PORT: '0' });
await daemon.call('POST', '/api/pull', { model: 'mock', stream: false });
await createRandom(daemon.url, 'bolt-tiny-random');
const browser = await launchChromium(executablePath);
try {
  await takeAll(browser, daemon.url);
} finally {
  await browser.close();
}
