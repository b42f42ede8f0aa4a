import { TollamaError } from './errors.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** How long a model stays loaded after an answer: seconds, or for ever. */
export type KeepAlive =
  | { readonly kind: 'forever' }
  | { readonly kind: 'seconds'; readonly seconds: number };

const FOREVER: KeepAlive = { kind: 'forever' };

const invalid = (value: unknown): never => {
  throw new TollamaError('INVALID_REQUEST', `invalid keep_alive: ${quote(value)}`, {
    hint: 'use seconds, "10m", "2h", "1d", 0 to unload at once, or a negative number to keep it for ever',
  });
};

const quote = (value: unknown): string =>
  typeof value === 'string' ? `'${value}'` : JSON.stringify(value);

/**
 * Reads keep_alive: null or absent = for ever, a number = seconds, `<n>[s|m|h|d]`, 0 = unload after the
 * answer, negative = for ever. Throws INVALID_REQUEST for anything else.
 */
export const parseKeepAlive = (value: unknown): KeepAlive => {
  if (value === undefined || value === null) return FOREVER;
  if (typeof value === 'number') return fromSeconds(value, value);
  if (typeof value !== 'string') return invalid(value);
  const match = /^\s*([+-]?\d+(?:\.\d+)?)\s*([smhd]?)\s*$/.exec(value);
  if (!match) return invalid(value);
  return fromSeconds(Number(match[1]) * (SECONDS[match[2]!] ?? 1), value);
};

const fromSeconds = (seconds: number, value: unknown): KeepAlive => {
  if (!Number.isFinite(seconds)) return invalid(value);
  return seconds < 0 ? FOREVER : { kind: 'seconds', seconds };
};
