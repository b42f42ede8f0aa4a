/** The page of batches in a real Chromium, beside a real run of a batch in this process. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runBatch } from '@tollama/batch';
import { startFakeDaemon } from '@tollama/batch/testing/fake-daemon';
import { panelRows, writePanel } from '@tollama/batch/testing/panel-file';
import { startTestDaemon, type TestDaemon } from '@tollama/daemon/testing/test-daemon';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityFaults } from './accessibility.ts';
import { chromiumPath, launchChromium } from './chromium.ts';
import { openDashboard, tabTo } from './dashboard-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const executablePath = chromiumPath();
const SERIES = 40;

describe.skipIf(executablePath === undefined && !process.env.CI)('batches in Chromium', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tollama-batches-'));
  let browser: Browser;
  let daemon: TestDaemon;

  beforeAll(async () => {
    execFileSync(process.execPath, [join(ROOT, 'scripts/build-dashboard.mjs'), '--if-changed']);
    browser = await launchChromium(executablePath!);
    daemon = await startTestDaemon();
  });
  afterAll(async () => {
    await browser?.close();
    await daemon?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test('without a batch the page says how to start one', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'batches');
    await opened.page.getByText('tollama batch panel.parquet').waitFor();
    expect(await accessibilityFaults(opened.page)).toEqual([]);
  });

  test('a run is watched, stopped with the keyboard, goes on, and is forgotten', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'batches');
    const { page } = opened;
    page.setDefaultTimeout(60_000);
    const gate = Promise.withResolvers<void>();
    // The first ten series come back, the others wait.
    await using forecasts = await startFakeDaemon((count) =>
      count > 10 ? gate.promise : undefined,
    );
    const output = join(folder, 'forecasts');
    const options = {
      inputs: [writePanel(join(folder, 'panel.csv'), panelRows(SERIES))],
      ...{ output, home: daemon.home, baseUrl: forecasts.baseUrl, workers: 1 },
      settings: { model: 'fake', horizon: 3, quantiles: [0.5], freq: 'D', options: {} },
      chunk: { series: 1, points: 1000 },
      signal: new AbortController().signal,
    };
    const first = runBatch(options).catch((error: unknown) => error);
    const card = page.getByRole('article', { name: `Batch into ${output}` });
    await card.getByText('running', { exact: true }).waitFor();
    await card.getByText(/^25 % · 10 of 40 series/).waitFor();
    await card.getByText(/^1 worker on /).waitFor();
    await card.getByRole('progressbar', { name: `Batch into ${output}` }).waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });

    await page.getByRole('heading', { level: 1 }).focus();
    await tabTo(page, /^Stop/);
    await page.keyboard.press('Enter');
    expect(await first).toMatchObject({ code: 'INTERRUPTED' });
    await card.getByText('The same command goes on with it.').waitFor();

    gate.resolve();
    await runBatch(options);
    await card.getByText('40 series', { exact: true }).waitFor();
    await card.getByRole('button', { name: /^Forget/ }).click();
    await page.getByText('No batch yet.').waitFor();
  }, 90_000);
});
