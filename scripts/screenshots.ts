/**
 * The pictures of the dashboard in docs/images: a real daemon, a real browser, the example data that the page
 * makes itself. Run it after a change of the dashboard, and look at what it wrote.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeHub } from '@tollama/daemon/testing/fake-hub';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, launchChromium } from '../tests/dashboard/chromium.ts';

const root = join(import.meta.dirname, '..');
const images = join(root, 'docs/images');
const cli = join(root, 'packages/cli/bin/tollama.mjs');
const MAX_BYTES = 300_000;
const USUAL_PORT = 11435;

interface Look {
  readonly width: number;
  readonly height: number;
  readonly colorScheme: 'light' | 'dark';
}

const WIDE: Look = { width: 1360, height: 850, colorScheme: 'light' };
const DARK: Look = { ...WIDE, colorScheme: 'dark' };
const NARROW: Look = { width: 360, height: 760, colorScheme: 'light' };

/** The usual port of a daemon, or a free one where that is taken. */
const choosePort = (wanted = USUAL_PORT): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(choosePort(0)));
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address ? address.port : wanted;
      server.close(() => resolve(port));
    });
  });

const post = (url: string, body: unknown): Promise<Response> =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

const open = async (browser: Browser, url: string, look: Look, view: string): Promise<Page> => {
  const { width, height, colorScheme } = look;
  const viewport = { width, height };
  const page = await browser.newPage({ viewport, colorScheme, reducedMotion: 'reduce' });
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

/** The playground after a run of `auto` and some more models. */
const forecast = async (page: Page, models: readonly string[], isHeldOut: boolean) => {
  for (const model of models) {
    await page.locator('.chip', { hasText: new RegExp(`^${model}$`) }).click();
  }
  if (isHeldOut) await page.getByText('Hold out the end').click();
  await page.getByRole('button', { name: 'Forecast' }).click();
  await page.getByRole('button', { name: 'CSV', exact: true }).waitFor();
  await page.waitForFunction(() => document.querySelector('.run-bar .spinner') === null);
  await page.evaluate(() => {
    scrollTo(0, 0);
    document.querySelector('.controls')?.scrollTo(0, 0);
  });
};

const pointAt = async (page: Page, share: number): Promise<void> => {
  const box = await page.locator('.u-over').boundingBox();
  if (box) await page.mouse.move(box.x + box.width * share, box.y + box.height * 0.4);
};

/** Some forecasts of several models at once. */
const traffic = async (url: string): Promise<void> => {
  const timestamps = Array.from({ length: 48 }, (_, i) => new Date(i * 3_600_000).toISOString());
  const series = [{ id: 's', freq: 'h', timestamps, target: timestamps.map((_, i) => i % 24) }];
  for (let i = 0; i < 20; i++) {
    const models = ['mock', 'theta', 'bolt-tiny-random', 'mock', 'mock', 'auto'].slice(
      0,
      1 + (i % 6),
    );
    await Promise.all(
      models.map((model) => post(`${url}/v1/forecast`, { model, horizon: 12, series })),
    );
  }
};

const takeForecasts = async (browser: Browser, url: string): Promise<void> => {
  const light = await open(browser, url, WIDE, 'forecast');
  await light.getByLabel('Example').selectOption('monthly-passengers.csv');
  await forecast(light, ['seasonal-naive', 'theta'], true);
  await pointAt(light, 0.95);
  await save(light, 'dashboard-forecast');

  const dark = await open(browser, url, DARK, 'forecast');
  await forecast(dark, [], false);
  await pointAt(dark, 0.93);
  await save(dark, 'dashboard-forecast-dark');

  const narrow = await open(browser, url, NARROW, 'forecast');
  await forecast(narrow, [], false);
  await narrow.evaluate(() =>
    document.querySelector('#chart-title')?.closest('section')?.scrollIntoView(),
  );
  await save(narrow, 'dashboard-narrow');
};

const takeModels = async (browser: Browser, url: string): Promise<void> => {
  const models = await open(browser, url, WIDE, 'models');
  await models.getByRole('button', { name: 'Load bolt-tiny-random' }).click();
  await models.getByRole('button', { name: 'Unload bolt-tiny-random' }).waitFor();
  await models.getByRole('button', { name: 'Pull chronos-bolt-small' }).click();
  await models.getByText(/[56]\d % · /).waitFor();
  await save(models, 'dashboard-models');
};

const takeMetrics = async (browser: Browser, url: string): Promise<void> => {
  const metrics = await open(browser, url, DARK, 'metrics');
  for (let i = 0; i < 12; i++) {
    await traffic(url);
    await metrics.waitForResponse((response) => response.url().endsWith('/metrics'));
  }
  await save(metrics, 'dashboard-metrics-dark');
};

/** A run that is done, and one on its way: a real panel through the real command. */
const takeBatches = async (browser: Browser, url: string, home: string): Promise<void> => {
  const panel = join(folder, 'sales.parquet');
  const series = ['--series', '6000', '--points', '120'];
  execFileSync(process.execPath, [join(root, 'bench/batch-panel.ts'), panel, ...series]);
  const start = (model: string, output: string) => {
    const where = ['--horizon', '28', '--model', model, '--output', join(folder, output)];
    return spawn(process.execPath, [cli, 'batch', panel, ...where, '--workers', '1'], {
      stdio: 'ignore',
      env: { ...process.env, TOLLAMA_HOME: home },
    });
  };
  await once(start('seasonal-naive', 'baseline'), 'exit');
  const running = start('auto', 'forecasts');
  const batches = await open(browser, url, WIDE, 'batches');
  await batches.getByText(/^[1-9]\d? % · .*\/s · .* left/).waitFor({ timeout: 120_000 });
  await save(batches, 'dashboard-batches');
  running.kill('SIGTERM');
  await once(running, 'exit');
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

/** A repository with a large file, of which a part is sent: the bar of a pull stands still for the picture. */
const folder = mkdtempSync(join(tmpdir(), 'tollama-screenshots-'));
const WEIGHTS = 24_000_000;
const repository = join(folder, 'repository');
mkdirSync(repository);
writeFileSync(join(repository, 'config.json'), '{}');
writeFileSync(join(repository, 'model.safetensors'), Buffer.alloc(WEIGHTS));
await using hub = await startFakeHub(repository, { repoId: 'amazon/chronos-bolt-small' });
hub.faults.pauseAfter = { bytes: 0.625 * WEIGHTS, until: new Promise(() => {}) };

const home = join(folder, 'home');
const port = await choosePort();
const url = `http://127.0.0.1:${port}`;
const daemon = spawn(process.execPath, [cli, 'serve', '--port', String(port)], {
  stdio: 'inherit',
  env: {
    ...process.env,
    TOLLAMA_HOME: home,
    TOLLAMA_LOG_LEVEL: 'error',
    HF_HUB_CACHE: join(folder, 'hub'),
    HF_ENDPOINT: hub.url,
  },
});
const ended = new Promise((resolve) => daemon.once('exit', resolve));
const browser = await launchChromium(executablePath);
try {
  while (!(await fetch(`${url}/v1/health`).catch(() => undefined))) await sleep(20);
  const config: unknown = JSON.parse(
    readFileSync(join(root, 'bench/configs/chronos-bolt-tiny.json'), 'utf8'),
  );
  await post(`${url}/api/pull`, { model: 'mock', stream: false });
  await post(`${url}/api/create`, {
    model: 'bolt-tiny-random',
    random: { config },
    stream: false,
  });
  await takeForecasts(browser, url);
  await takeModels(browser, url);
  await takeBatches(browser, url, home);
  await takeMetrics(browser, url);
} finally {
  await browser.close();
  daemon.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true });
}
