/** The page of trainings in a real Chromium, while a real daemon trains. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { startTestDaemon, type TestDaemon } from '@tollama/daemon/testing/test-daemon';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessibilityFaults } from './accessibility.ts';
import { chromiumPath, launchChromium } from './chromium.ts';
import { openDashboard, tabTo } from './dashboard-page.ts';

const ROOT = join(import.meta.dirname, '../..');
const executablePath = chromiumPath();

const SERIES = {
  id: 'a',
  freq: 'h',
  timestamps: Array.from({ length: 300 }, (_, t) => new Date(t * 3_600_000).toISOString()),
  target: Array.from({ length: 300 }, (_, t) => Math.sin(t / 4) + 3),
};

describe.skipIf(executablePath === undefined && !process.env.CI)('trainings in Chromium', () => {
  let browser: Browser;
  let daemon: TestDaemon;

  const train = (name: string, steps: number) =>
    daemon.call('POST', '/api/train', {
      model: 'bolt',
      name,
      series: [SERIES],
      options: { steps, epochs: 4, batch_size: 4, threads: 1, horizon: 8 },
    });

  beforeAll(async () => {
    execFileSync(process.execPath, [join(ROOT, 'scripts/build-dashboard.mjs'), '--if-changed']);
    browser = await launchChromium(executablePath!);
    daemon = await startTestDaemon();
    const model = join(ROOT, 'golden/chronos-bolt/tiny-a');
    await daemon.call('POST', '/api/pull', { model, name: 'bolt', stream: false });
  });
  afterAll(async () => {
    await browser?.close();
    await daemon?.[Symbol.asyncDispose]();
  });

  test('without a training the page says how to start one', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'training');
    await opened.page.getByText('tollama train chronos-bolt-small').waitFor();
    expect(await accessibilityFaults(opened.page)).toEqual([]);
  });

  test('a run shows its curves and its end; the keyboard stops another and goes on', async () => {
    await using opened = await openDashboard(browser, daemon.url, 'training');
    const { page } = opened;
    page.setDefaultTimeout(60_000);
    await train('waves', 40);
    await page.getByRole('row', { name: /^bolt:waves lora finished 40 \/ 40/ }).waitFor();
    const curves = page.getByRole('region', { name: 'Training of bolt:waves' });
    await curves.getByText(/^Validation: [\d.]+ after 4 epochs/).waitFor();
    expect(await curves.getByText(/^Loss of the steps: /).textContent()).toMatch(/[\d.]+ now$/);
    expect(await accessibilityFaults(page)).toEqual([]);
    if (process.env.SCREENSHOT) await page.screenshot({ path: process.env.SCREENSHOT });

    await train('long', 100_000);
    const row = page.getByRole('row', { name: /^bolt:long lora running/ });
    await row.waitFor();
    await page.getByRole('heading', { level: 1 }).focus();
    await tabTo(page, /^bolt:waves$/);
    await page.keyboard.press('Enter');
    await curves.waitFor();
    await page.getByRole('heading', { level: 1 }).focus();
    await tabTo(page, /Stop/);
    await page.keyboard.press('Enter');
    await page.getByRole('row', { name: /^bolt:long lora stopped/ }).waitFor();
    await page.getByRole('button', { name: 'Go on' }).waitFor();
  });
});
