/** The dashboard in a real Chromium, served by a real daemon. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type FakeHub, startFakeHub } from '@tollama/daemon/testing/fake-hub';
import { startTestDaemon, type TestDaemon } from '@tollama/daemon/testing/test-daemon';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityFaults } from './accessibility.ts';
import { chromiumPath, launchChromium } from './chromium.ts';
import { FAILED_ANSWER, focusOn, openDashboard, tabTo } from './dashboard-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const DIST = join(ROOT, 'packages/web/dist');
const MAX_GZIPPED_BYTES = 150_000;

const executablePath = chromiumPath();
if (executablePath === undefined && !process.env.CI) {
  console.warn(
    'skipped: there is no Chromium to look at the dashboard with; CHROMIUM_PATH names one',
  );
}

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/build-dashboard.mjs'), '--if-changed']);
});

test('all files together are small, and name nobody', () => {
  const files = readdirSync(DIST, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  const bytes = files.reduce((sum, file) => sum + gzipSync(file).length, 0);
  expect(bytes).toBeLessThan(MAX_GZIPPED_BYTES);
  const remote = files.flatMap(
    (file) => file.toString().match(/(?:src|href|url)[=(]"?https?:[^")]*/g) ?? [],
  );
  expect(remote).toEqual([]);
});

describe.skipIf(executablePath === undefined && !process.env.CI)('in Chromium', () => {
  let browser: Browser;
  let hub: FakeHub;
  let daemon: TestDaemon;

  beforeAll(async () => {
    if (executablePath === undefined) {
      throw new Error('there is no Chromium; install one, or name it by CHROMIUM_PATH');
    }
    browser = await launchChromium(executablePath);
    hub = await startFakeHub(join(ROOT, 'golden/chronos-bolt/tiny-a'));
    daemon = await startTestDaemon({ HF_ENDPOINT: hub.url });
  });
  afterAll(async () => {
    await browser?.close();
    await daemon?.[Symbol.asyncDispose]();
    await hub?.[Symbol.asyncDispose]();
  });

  test('pull the mock, load it, unload it, delete it', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'models');
    const { page } = opened;
    const installed = page.getByRole('region', { name: 'Installed' });
    await page.getByRole('searchbox', { name: 'Search' }).fill('mock');
    await page.getByRole('button', { name: 'Pull mock' }).click();
    await installed.getByRole('heading', { name: 'mock' }).waitFor();
    await installed.getByRole('button', { name: 'Load mock' }).click();
    await installed.getByText(/^Loaded/).waitFor();
    await installed.getByRole('button', { name: 'Unload mock' }).click();
    await installed.getByRole('button', { name: 'Load mock' }).waitFor();

    await installed.getByRole('button', { name: 'Delete mock' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete mock?' });
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    await installed.getByRole('button', { name: 'Delete mock' }).click();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await installed.getByText('No model is installed yet').waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Installed');
    expect(await daemon.call('GET', '/api/tags')).toMatchObject({ body: { models: [] } });
  });

  test('forecast the example with auto: chart, values, files', async () => {
    await using opened = await openDashboard(browser, daemon.url);
    const { page } = opened;
    await page.getByRole('button', { name: 'Forecast' }).click();
    await page.getByRole('heading', { name: 'Results' }).waitFor();
    await page.getByRole('row', { name: /^auto \d/ }).waitFor();
    await page.getByText(/^auto chose /).waitFor();
    await page.locator('summary', { hasText: 'Values' }).click();
    const rows = page.getByRole('region', { name: 'Forecast values' }).getByRole('row');
    expect(await rows.count()).toBe(1 + 48);
    expect(await rows.nth(1).textContent()).toContain('2025-02-03 00:00');

    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV', exact: true }).click(),
    ]);
    expect(file.suggestedFilename()).toBe('forecast.csv');
    const lines = readFileSync(await file.path(), 'utf8')
      .trim()
      .split('\n');
    expect(lines[0]).toBe(
      'unique_id,ds,auto,auto-q-5,auto-q-10,auto-q-25,auto-q-50,auto-q-75,auto-q-90,auto-q-95',
    );
    expect(lines).toHaveLength(1 + 48);
    const [answer] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'JSON', exact: true }).click(),
    ]);
    expect(JSON.parse(readFileSync(await answer.path(), 'utf8'))).toMatchObject([
      { model: 'auto' },
    ]);
  });

  test('the fan is drawn in the colour of its series', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'forecast', {
      colorScheme: 'light',
    });
    const { page } = opened;
    const bluePixels = () =>
      page.evaluate(() => {
        const canvas = document.querySelector<HTMLCanvasElement>('.fan-chart canvas')!;
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height);
        let count = 0;
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3]! > 20 && data[i + 2]! > data[i]! + 60) count++;
        }
        return count;
      });
    await page.locator('.fan-chart canvas').waitFor();
    expect(await bluePixels()).toBe(0);
    await page.getByRole('button', { name: 'Forecast' }).click();
    await page.getByRole('row', { name: /^auto \d/ }).waitFor();
    expect(await bluePixels()).toBeGreaterThan(500);
  });

  test('models are compared on what was held out', async () => {
    await using opened = await openDashboard(browser, daemon.url);
    const { page } = opened;
    await page.getByLabel('Example').selectOption('daily-sales.csv');
    await page.getByText('seasonal-naive').click();
    await page.getByText('Hold out the end').click();
    await page.getByRole('button', { name: 'Forecast' }).click();
    for (const model of ['auto', 'seasonal-naive']) {
      const row = page.getByRole('row', { name: new RegExp(`^${model} \\d`) });
      expect(await row.textContent()).toMatch(/\d+ % of 90 %$/);
    }
    expect(await page.getByRole('figure').textContent()).toContain('actual');
    await page.getByRole('combobox', { name: 'Series' }).last().selectOption('station');
    expect(await page.getByRole('slider').getAttribute('aria-label')).toContain('station');
  });

  test('an own CSV: chosen, its columns guessed and chosen, faults in words', async () => {
    await using opened = await openDashboard(browser, daemon.url);
    const { page } = opened;
    const csv = (name: string, text: string) =>
      page
        .getByLabel('CSV file')
        .setInputFiles({ name, mimeType: 'text/csv', buffer: Buffer.from(text) });
    const days = Array.from({ length: 40 }, (_, i) =>
      new Date(Date.UTC(2024, 0, i + 1)).toISOString().slice(0, 10),
    );
    await csv(
      'own.csv',
      `when;visits;spend\n${days.map((day, i) => `${day};${i};${i},5`).join('\n')}`,
    );
    await page.getByText('40 points · every D').waitFor();
    await page.getByLabel('Values').selectOption('spend');
    await page.getByRole('heading', { name: 'spend' }).waitFor();
    await page.getByRole('button', { name: 'Forecast' }).click();
    await page.getByRole('row', { name: /^auto \d/ }).waitFor();

    await csv('words.csv', 'a,b\nx,y');
    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toContain('words.csv: no column of numbers');
    expect(await alert.textContent()).toContain('Hint: choose a file with a column of values');
    expect(await page.getByRole('button', { name: 'Forecast' }).isDisabled()).toBe(true);
  });

  test('a CSV that is dropped', async () => {
    await using opened = await openDashboard(browser, daemon.url);
    const { page } = opened;
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(['price\n3\n4\n5\n6\n7\n8\n'], 'dropped.csv', { type: 'text/csv' }));
      return data;
    });
    await page.locator('.drop-zone').dispatchEvent('drop', { dataTransfer: transfer });
    await page.getByText('6 points').waitFor();
    await page.getByRole('button', { name: 'Forecast' }).click();
    await page.getByRole('row', { name: /^auto \d/ }).waitFor();
  });

  test('an error of the daemon is told in words, with its hint', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'forecast', {
      expected: FAILED_ANSWER,
    });
    const { page } = opened;
    await page.getByLabel('Steps').fill('200000');
    await page.getByRole('button', { name: 'Forecast' }).click();
    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toMatch(/auto failed.*horizon.*100000.*Hint: /s);
  });

  test('a pull shows how far it is; another view does not stop it', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'models');
    const { page } = opened;
    const { promise: until, resolve: go } = Promise.withResolvers<void>();
    hub.faults.pauseAfter = { bytes: 60_000, until };
    await page.getByLabel('Or pull by address').fill('owner/name');
    await page.getByLabel('Or pull by address').press('Enter');
    const bar = page.getByRole('progressbar', { name: 'Pull of owner/name' });
    await bar.and(page.locator('[aria-valuenow]')).waitFor();
    const shown = Number(await bar.getAttribute('aria-valuenow'));
    expect(shown).toBeGreaterThan(0);
    expect(shown).toBeLessThan(100);
    await page.getByRole('link', { name: 'System' }).click();
    await page.getByRole('heading', { level: 1, name: 'System' }).waitFor();
    await page.getByRole('link', { name: 'Models' }).click();
    await bar.waitFor();
    go();
    const installed = page.getByRole('region', { name: 'Installed' });
    await installed.getByText('chronos-bolt', { exact: true }).waitFor();
    await bar.waitFor({ state: 'detached' });

    await page.getByRole('link', { name: 'Forecast' }).click();
    const names = page.getByRole('group', { name: 'Installed' }).getByRole('checkbox');
    expect(await names.count()).toBe(1);
    await page.getByRole('group', { name: 'Installed' }).locator('.chip').click();
    await page.getByRole('button', { name: 'Forecast' }).click();
    await page.getByRole('row', { name: /^(?!auto).*\d ms/ }).waitFor();
    delete hub.faults.pauseAfter;
  });

  test('a licence is accepted before the pull; a pull that fails says why', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'models', {
      expected: FAILED_ANSWER,
    });
    const { page } = opened;
    await page.getByRole('button', { name: 'Pull moirai-2.0-R-small' }).click();
    const dialog = page.getByRole('dialog', { name: /Licence of/ });
    expect(await dialog.textContent()).toContain('cc-by-nc-4.0');
    const accept = dialog.getByRole('button', { name: 'Accept and pull' });
    expect(await accept.isDisabled()).toBe(true);
    await dialog.getByLabel('I have read the licence').check();
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.url().endsWith('/api/pull')),
      accept.click(),
    ]);
    expect(request.postDataJSON()).toMatchObject({ accept_license: true });
    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toContain('Pulling moirai-2.0-R-small failed');
    await alert.getByRole('button', { name: 'Dismiss' }).click();
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('everything by the keyboard', async () => {
    await daemon.call('POST', '/api/pull', { model: 'mock', stream: false });
    await using opened = await openDashboard(browser, daemon.url);
    const { page } = opened;
    await page.getByText('Daemon running').waitFor();
    await page.keyboard.press('Tab');
    await focusOn(page, 'Skip to the content');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.activeElement?.tagName === 'H1');
    await tabTo(page, /^theta$/);
    await page.keyboard.press('Space');
    await tabTo(page, /^Forecast$/);
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: /^theta \d/ }).waitFor();
    await tabTo(page, /^Chart of demand/);
    const chart = page.getByRole('slider');
    const said = (name: string) => expect.poll(() => chart.getAttribute(name), { timeout: 10_000 });
    await page.keyboard.press('ArrowRight');
    await said('aria-valuetext').toMatch(/^2025-02-03 00:00: auto [\d.]+, /);
    await page.keyboard.press('End');
    await said('aria-valuenow').toBe(await chart.getAttribute('aria-valuemax'));

    await tabTo(page, /^Models$/, 'Shift+Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'Models' }).waitFor();
    await tabTo(page, /^Delete mock$/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await focusOn(page, 'Delete mock');
    await page.keyboard.press('Enter');
    await tabTo(page, /^Delete$/);
    await page.keyboard.press('Enter');
    await page.getByText('mock is deleted').waitFor({ state: 'attached' });
  });

  test('metrics move while forecasts are made, and stand still when paused', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'metrics');
    const { page } = opened;
    const figure = page.locator('.figure', { hasText: 'Models loaded' });
    await page.getByRole('link', { name: 'Forecast' }).click();
    await page.getByRole('button', { name: 'Forecast' }).click();
    await page.getByRole('row', { name: /^auto \d/ }).waitFor();
    await page.getByRole('link', { name: 'Metrics' }).click();
    expect(await figure.textContent()).toMatch(/[1-9]\d* forecasts since the start/);
    await page.getByRole('row', { name: /^v1_forecast/ }).waitFor();
    await page.getByRole('row', { name: /^statistical/ }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
  });

  test('runners and their state', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'system');
    const { page } = opened;
    await page.getByRole('row', { name: /^statistical running \d+/ }).waitFor();
    expect(await page.getByRole('region', { name: 'Daemon' }).textContent()).toContain(daemon.home);
  });

  test('the theme follows the system until one is chosen, and the choice is kept', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'system', {
      colorScheme: 'dark',
    });
    const { page } = opened;
    const background = () =>
      page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const dark = await background();
    await page.getByRole('button', { name: 'Light theme' }).click();
    const light = await background();
    expect(light).not.toBe(dark);
    await page.reload();
    await page.getByText('Daemon running').waitFor();
    expect(await background()).toBe(light);
    await page.getByRole('button', { name: 'Theme of the system' }).click();
    expect(await background()).toBe(dark);
  });

  test('a daemon with keys: asked for one, refused, let in, forgotten', async () => {
    await using locked = await startTestDaemon();
    const config = { version: 1, auth: { api_keys: ['right-key'] } };
    writeFileSync(join(locked.home, 'config.json'), JSON.stringify(config));
    await using opened = await openDashboard(browser, locked.url, 'system', {
      expected: FAILED_ANSWER,
    });
    const { page } = opened;
    const dialog = page.getByRole('dialog', { name: 'This daemon asks for a key' });
    expect(await dialog.textContent()).toContain('missing bearer token');
    await dialog.getByLabel('API key').fill('wrong-key');
    await dialog.getByLabel('API key').press('Enter');
    await dialog.getByText('The daemon refused the key: invalid api key').waitFor();
    await dialog.getByLabel('API key').fill('right-key');
    await dialog.getByRole('button', { name: 'Unlock' }).click();
    await page.getByText('Daemon running').waitFor();
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('right-key');
    await page.getByRole('button', { name: 'Forget the key' }).click();
    await dialog.waitFor();
  });

  test('a daemon that is gone is told, with what to do', async () => {
    const gone = await startTestDaemon();
    await using opened = await openDashboard(browser, gone.url, 'system', {
      expected: /net::ERR_/,
    });
    const { page } = opened;
    await page.getByText('Daemon running').waitFor();
    await gone[Symbol.asyncDispose]();
    const alert = page.getByRole('alert');
    expect(await alert.textContent()).toMatch(/no daemon answers at.*Hint: start the daemon/s);
  });

  test('on a narrow screen every view has its place in the bar', async () => {
    const look = { viewport: { width: 320, height: 700 } };
    await using opened = await openDashboard(browser, daemon.url, 'models', look);
    const places = await opened.page.locator('.nav').evaluate((nav) => {
      const bar = nav.getBoundingClientRect();
      return [...nav.querySelectorAll('a')].map((link) => {
        const { left, right, top, bottom } = link.getBoundingClientRect();
        const isInside = left >= 0 && right <= innerWidth && top >= bar.top && bottom <= bar.bottom;
        return isInside && link.scrollWidth <= link.clientWidth;
      });
    });
    expect(places).toEqual(new Array(6).fill(true));
  });

  describe.each([
    { name: 'wide and light', width: 1280, colorScheme: 'light' as const },
    { name: 'wide and dark', width: 1280, colorScheme: 'dark' as const },
    { name: 'narrow and light', width: 360, colorScheme: 'light' as const },
    { name: 'narrow and dark', width: 360, colorScheme: 'dark' as const },
  ])('$name', ({ width, colorScheme }) => {
    const look = { viewport: { width, height: 760 }, colorScheme };

    test.each(['models', 'metrics', 'system'])('%s can be used by all', async (view) => {
      await using opened = await openDashboard(browser, daemon.url, view, look);
      await opened.page.getByText('Daemon running').waitFor();
      await opened.page.locator('.card').nth(1).waitFor();
      expect(await accessibilityFaults(opened.page)).toEqual([]);
    });

    test('forecast can be used by all', async () => {
      await using opened = await openDashboard(browser, daemon.url, 'forecast', look);
      const { page } = opened;
      await page.getByText('drift').click();
      await page.getByText('Hold out the end').click();
      await page.getByRole('button', { name: 'Forecast' }).click();
      await page.getByRole('row', { name: /^drift \d/ }).waitFor();
      await page.locator('summary', { hasText: 'Values' }).click();
      expect(await accessibilityFaults(page)).toEqual([]);
    });
  });
});
