/** Options that commands share. */
import { type Command, InvalidArgumentError } from 'commander';
import type { ConnectionOptions } from '../daemon/connect.ts';
import type { ProgressMode } from '../terminal/progress.ts';

export interface CommonOptions extends ConnectionOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

export const positiveInteger = (text: string): number => {
  const number = Number(text);
  if (Number.isInteger(number) && number > 0) return number;
  throw new InvalidArgumentError('use a whole number above 0.');
};

export const positiveNumber = (text: string): number => {
  const number = Number(text);
  if (Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError('use a number above 0.');
};

/** a,b,c */
export const commaSeparated = (text: string): string[] =>
  text.split(',').map((part) => part.trim());

export const share = (text: string): number => {
  const number = Number(text);
  if (number > 0 && number < 1) return number;
  throw new InvalidArgumentError('use a number between 0 and 1.');
};

const isJsonNumber = (text: string): boolean => text !== '' && Number.isFinite(Number(text));

/** name=value, numbers as numbers. */
export const modelOption = (
  text: string,
  known: Record<string, unknown> = {},
): Record<string, unknown> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('use name=value.');
  const value = text.slice(at + 1);
  return { ...known, [text.slice(0, at)]: isJsonNumber(value) ? Number(value) : value };
};

export const progressMode = (text: string): ProgressMode => {
  if (text === 'auto' || text === 'on' || text === 'off') return text;
  throw new InvalidArgumentError('use auto, on or off.');
};

/** --base-url, --timeout, --json, --quiet */
export const withCommonOptions = (command: Command): Command =>
  command
    .option(
      '--base-url <url>',
      'address of the daemon (default: TOLLAMA_HOST, else http://127.0.0.1:11435)',
    )
    .option('--timeout <seconds>', 'time to wait for an answer', positiveNumber)
    .option('--json', 'print JSON')
    .option('-q, --quiet', 'no progress and no notes');

/** Lines of help after the options: what environment it reads, and how it is used. */
export const withExamples = (
  command: Command,
  examples: readonly string[],
  environment: readonly string[] = [],
): Command => {
  const sections = [`\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`];
  if (environment.length > 0)
    sections.push(`\nEnvironment:\n${environment.map((line) => `  ${line}`).join('\n')}`);
  return command.addHelpText('after', sections.join('\n'));
};
