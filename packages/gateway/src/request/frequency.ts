import { TollamaError } from '@tollama/core/errors';

const SECONDS = { m: 60, h: 3600 } as const;

/**
 * Seconds of a period such as `5m` or ` 1H `; counts below zero come to 0.
 * Throws INVALID_REQUEST for anything else.
 */
export const frequencySeconds = (freq: string): number => {
  const text = freq.trim().toLowerCase();
  const match = /^([+-]?\d+)([mh])$/.exec(text);
  if (!match) {
    const what = text === '' ? 'freq must be valid' : `Unsupported freq: '${freq}'`;
    throw new TollamaError('INVALID_REQUEST', `malformed input: ${what}`, {
      hint: 'write a number of minutes or hours, such as 5m or 1h',
    });
  }
  return Math.max(0, Number(match[1])) * SECONDS[match[2] as 'm' | 'h'];
};
