/** A page of the dashboard that remembers what should not happen. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';

export interface DashboardPage extends AsyncDisposable {
  readonly page: Page;
  readonly faults: Faults;
}

export interface Faults {
  /** Errors of the console and of scripts, but for those that are expected. */
  readonly errors: string[];
  /** Addresses that were asked outside of the daemon. */
  readonly strangers: string[];
}

/** What a browser logs by itself when an answer is an error. */
export const FAILED_ANSWER = /^Failed to load resource: the server responded with a status of/;

const watch = (page: Page, url: string, expected: RegExp | undefined): Faults => {
  const faults: Faults = { errors: [], strangers: [] };
  const note = (text: string): void => {
    if (!expected?.test(text)) faults.errors.push(text);
  };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') note(message.text());
  });
  page.on('pageerror', (error) => note(error.message));
  page.on('request', (request) => {
    const asked = request.url();
    if (!asked.startsWith(`${url}/`) && !asked.startsWith('blob:')) faults.strangers.push(asked);
  });
  return faults;
};

export interface OpenOptions extends BrowserContextOptions {
  /** Errors of the console that belong to the test. */
  readonly expected?: RegExp;
}

/** Opens a view; when it is disposed, it must have been quiet and have asked nobody but its daemon. */
export const openDashboard = async (
  browser: Browser,
  url: string,
  view = 'forecast',
  { expected, ...options }: OpenOptions = {},
): Promise<DashboardPage> => {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const faults = watch(page, url, expected);
  await page.goto(`${url}/dashboard#/${view}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
  return {
    page,
    faults,
    async [Symbol.asyncDispose]() {
      await context.close();
      expect(faults).toEqual({ errors: [], strangers: [] });
    },
  };
};

/** Presses Tab until something with that role and name has the focus; fails when it never does. */
export const tabTo = async (page: Page, name: RegExp, key = 'Tab'): Promise<void> => {
  const seen: string[] = [];
  for (let presses = 0; presses < 90; presses++) {
    await page.keyboard.press(key);
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      const label = element?.labels?.[0]?.textContent ?? '';
      return element?.getAttribute('aria-label') || label || element?.textContent?.trim() || '';
    });
    if (name.test(focused)) return;
    seen.push(focused.slice(0, 30));
  }
  throw new Error(`Tab never reached ${name}; it passed ${seen.join(' | ')}`);
};

/** Waits until the focus is on what says that: the page may take a turn or two to move it. */
export const focusOn = async (page: Page, text: string): Promise<void> => {
  await page.waitForFunction((wanted) => document.activeElement?.textContent === wanted, text);
};
