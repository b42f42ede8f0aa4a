import { TollamaError } from './errors.ts';

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 };

/** A plain number, or parts such as those of `1h30m`. */
const DURATION = /^\s*([+-]?)((?:\d+(?:\.\d+)?(?:ms|[smhd]))+|\d+(?:\.\d+)?)\s*$/;
const PART = /(\d+(?:\.\d+)?)(ms|[smhd])?/g;

/** How long a model stays loaded after an answer: seconds, or for ever. */
export type KeepAlive =
  | { readonly kind: 'forever' }
  | { readonly kind: 'seconds'; readonly seconds: number };

/** A century: what is longer has no end that a calendar could tell. */
const LONGEST_SECONDS = 100 * 365 * 86_400;

const FOREVER: KeepAlive = { kind: 'forever' };

const invalid = (value: unknown): never => {
  throw new TollamaError('INVALID_REQUEST', `invalid keep_alive: ${quote(value)}`, {
    hint: 'use seconds, "10m", "1h30m", "1d", 0 to unload at once, or a negative number to keep it for ever',
  });
};

const quote = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : JSON.stringify(value);

/**
 * Reads keep_alive: null or absent = for ever, a number = seconds, `<n>[ms|s|m|h|d]` and such parts together (`1h30m`), 0 = unload after the
 * answer, negative = for ever. Throws INVALID_REQUEST for anything else.
 */
export const parseKeepAlive = (value: unknown): KeepAlive => {
  if (value === undefined || value === null) return FOREVER;
  if (typeof value === 'number') return fromSeconds(value, value);
  if (typeof value !== 'string') return invalid(value);
  // Blanks before a unit are let through, as they always were.
  const match = DURATION.exec(value.replace(/\s+(?=(?:ms|[smhd])\s*$)/, ''));
  if (!match) return invalid(value);
  const seconds = [...match[2]!.matchAll(PART)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * SECONDS[unit ?? 's']!,
    0,
  );
  return fromSeconds(match[1] === '-' ? -seconds : seconds, value);
};

const fromSeconds = (seconds: number, value: unknown): KeepAlive => {
  if (!Number.isFinite(seconds)) return invalid(value);
  return seconds < 0 || seconds > LONGEST_SECONDS ? FOREVER : { kind: 'seconds', seconds };
};
