/** Families in a browser tab, through onnxruntime-web, from the files that Node runs: equal numbers. */
import { join, resolve } from 'node:path';
import { openModel } from '@tollama/models';
import type { Browser, Page as Tab } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium } from '../dashboard/chromium.ts';
import type { PageForecast, PageTask } from './page.ts';
import { bundlePage, type Page, servePage } from './serve-page.ts';

const GOLDEN = resolve(import.meta.dirname, '../../golden');
const executablePath = chromiumPath();
if (!executablePath) console.warn('Chromium is not here: no family is run in a browser');

const wave = (length: number, missing: readonly number[] = []): (number | null)[] =>
  Array.from({ length }, (_, i) =>
    missing.includes(i) ? null : 20 + 5 * Math.sin(i / 3) + 0.05 * i + ((7 * i) % 5) / 10,
  );

const SERIES = [wave(150), wave(37, [3, 4, 20]), wave(96).map((value) => 1000 * value!)];

const inNode = async ({ folder, series, horizon, quantiles }: PageTask): Promise<PageForecast> => {
  await using model = await openModel(join(GOLDEN, folder), { threads: 1 });
  const { forecasts } = await model.forecast({
    series: series.map((values, i) => ({
      id: String(i),
      freq: 'h',
      targets: [Float64Array.from(values, (value) => value ?? Number.NaN)],
    })),
    horizon,
    quantiles,
    options: {},
  });
  return {
    family: model.family,
    forecasts: forecasts.map(({ targets: [target] }) => ({
      mean: Array.from(target!.mean),
      quantiles: target!.quantiles.map((path) => Array.from(path)),
    })),
  };
};

/** Largest difference, in shares of the larger of 1 and the value. */
const difference = (a: PageForecast, b: PageForecast): number => {
  const paths = (one: PageForecast): (readonly number[])[] =>
    one.forecasts.flatMap(({ mean, quantiles }) => [mean, ...quantiles]);
  const [left, right] = [paths(a), paths(b)];
  expect(left.map((path) => path.length)).toEqual(right.map((path) => path.length));
  return Math.max(
    ...left.flatMap((path, i) =>
      path.map((value, h) => Math.abs(value - right[i]![h]!) / Math.max(1, Math.abs(value))),
    ),
  );
};

describe.runIf(executablePath !== undefined)('in Chromium', () => {
  let page: Page;
  let script: string;
  let browser: Browser;
  let tab: Tab;
  const complaints: string[] = [];

  beforeAll(async () => {
    script = await bundlePage();
    page = await servePage(script);
    browser = await launchChromium(executablePath!);
    tab = await browser.newPage();
    tab.on('pageerror', (error) => complaints.push(error.message));
    await tab.goto(page.url);
    await tab.waitForFunction('globalThis.forecast !== undefined');
  });

  afterAll(async () => {
    await browser?.close();
    await page?.[Symbol.asyncDispose]();
  });

  const inTab = (task: PageTask): Promise<PageForecast> =>
    tab.evaluate(
      (given) =>
        (globalThis as unknown as { forecast: (task: PageTask) => Promise<PageForecast> }).forecast(
          given,
        ),
      task,
    );

  test('the page holds no module of Node', () => {
    expect(script).not.toMatch(/browser-external|onnxruntime-node|from\s*"node:/);
  });

  test.each([
    ['chronos-bolt/tiny-a', SERIES, 40],
    ['chronos-2/tiny-a', SERIES, 40],
    ['chronos-t5/tiny-a', SERIES, 40],
    ['timesfm/v25-tiny', SERIES, 40],
    ['moirai2/tiny-2head', SERIES, 40],
    ['toto2/tiny', SERIES, 40],
    ['tirex/tiny', SERIES, 40],
    // Its random weights blow roundings up in a roll-out, and where a short history is padded.
    ['granite-ttm/r2-base', [wave(600), wave(512)], 8],
  ])('%s', async (folder, series, horizon) => {
    const task = { folder, series, horizon, quantiles: [0.1, 0.5, 0.9] };
    const [there, here] = [await inTab(task), await inNode(task)];
    expect(there.family).toBe(here.family);
    expect(difference(there, here)).toBeLessThan(1e-4);
    expect(complaints).toEqual([]);
  });
});
