/** Numbers and lists in sentences. */
import { LIMITS } from './limits.ts';

/** Four significant digits, without exponents where they would only be in the way. */
export const compactNumber = (value: number): string => {
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e15) return String(Math.round(value));
  return String(Number(value.toPrecision(4)));
};

/** 'a, b, c, d, e and 12 more'. */
export const joinedNames = (names: readonly string[]): string => {
  const shown = names.slice(0, LIMITS.namedSeries).join(', ');
  const rest = names.length - LIMITS.namedSeries;
  return rest > 0 ? `${shown} and ${rest} more` : shown;
};
