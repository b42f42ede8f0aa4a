import { setTimeout as sleep } from 'node:timers/promises';
import type { TollamaClient } from '@tollama/client';
import { Command } from 'commander';
import { connect } from '../daemon/connect.ts';
import { interruptSignal, isInterrupt } from '../terminal/interrupt.ts';
import { printJson } from '../terminal/json.ts';
import { renderScreen } from '../top/screen.ts';
import { type Look, look } from '../top/snapshot.ts';
import { type CommonOptions, positiveNumber, withCommonOptions, withExamples } from './options.ts';

interface TopOptions extends CommonOptions {
  readonly interval: number;
}

const MOST_RATES = 500;
/** Another screen, no cursor; and back to what was there before. */
const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const REST_OF_LINE = '\u001b[K';
const REST_OF_SCREEN = '\u001b[J';

/** Ends with `q`, Escape or Ctrl-C, which a terminal in raw mode sends as a character. */
const whenQuit = (controller: AbortController): (() => void) => {
  const { stdin } = process;
  if (!stdin.isTTY) return () => {};
  const onKey = (key: Buffer): void => {
    if (['q', 'Q', '\u001b', '\u0003'].includes(String(key))) controller.abort();
  };
  stdin.setRawMode(true).on('data', onKey);
  return () => stdin.off('data', onKey).setRawMode(false).pause();
};

const draw = (now: Look, rates: readonly number[]): void => {
  const { columns = 80, rows = 24 } = process.stdout;
  const hint = 'q quits';
  const lines = renderScreen(now.activity, rates, Date.now(), { columns, rows: rows - 2 });
  const text = [...lines, '', hint].map((line) => `${line}${REST_OF_LINE}`).join('\r\n');
  process.stdout.write(`${HOME}${text}${REST_OF_SCREEN}`);
};

/** Draws until the user has seen enough. */
const watch = async (client: TollamaClient, intervalMs: number): Promise<void> => {
  const quit = new AbortController();
  const signal = AbortSignal.any([interruptSignal(), quit.signal]);
  const stopKeys = whenQuit(quit);
  const rates: number[] = [];
  let before: Look | undefined = await look(client, undefined, signal);
  process.stdout.write(ENTER);
  try {
    for (;;) {
      draw(before, rates);
      await sleep(intervalMs, undefined, { signal });
      before = await look(client, before, signal);
      rates.push(before.activity.requests.per_second);
      if (rates.length > MOST_RATES) rates.shift();
    }
  } catch (error) {
    if (!signal.aborted && !isInterrupt(error)) throw error;
  } finally {
    process.stdout.write(LEAVE);
    stopKeys();
  }
};

const top = async (options: TopOptions): Promise<void> => {
  const client = connect(options);
  if (process.stdout.isTTY && !options.json) return watch(client, options.interval * 1000);
  const { activity } = await look(client, undefined, interruptSignal());
  if (options.json) return printJson(activity);
  const size = { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY };
  console.log(renderScreen(activity, [], Date.now(), size).join('\n'));
};

export const topCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('top')
        .description('watch the daemon: models, queues, latency, memory; once where no terminal is')
        .option('--interval <seconds>', 'time between two looks', positiveNumber, 1),
    ).action(top),
    ['tollama top', 'tollama top --interval 5', 'tollama top --json'],
  );
