/** Colour in the terminal, or none. */

import { styleText } from 'node:util';

/** What a part of a chart is; its colour follows. */
export type Role = 'plain' | 'title' | 'axis' | 'history' | 'median' | 'band' | 'actual';

type Format = Parameters<typeof styleText>[0];

const FORMATS: Readonly<Record<Exclude<Role, 'plain'>, Format>> = {
  title: 'bold',
  axis: 'gray',
  history: 'cyan',
  median: ['bold', 'magenta'],
  band: 'magenta',
  actual: 'yellow',
};

export const paint = (role: Role, text: string, color: boolean): string =>
  color && role !== 'plain' && text !== ''
    ? styleText(FORMATS[role], text, { validateStream: false })
    : text;

/** Whether a stream should get colours: a terminal, unless NO_COLOR says no; FORCE_COLOR says yes. */
export const wantsColor = (
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean => {
  if (env.NO_COLOR) return false;
  if (env.FORCE_COLOR) return env.FORCE_COLOR !== '0' && env.FORCE_COLOR !== 'false';
  return stream.isTTY === true && env.TERM !== 'dumb';
};
