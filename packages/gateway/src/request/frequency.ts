import { TollamaError } from '@tollama/core/errors';

/** Ten years: times that lie a history of such periods apart can still be written. */
export const MAX_PERIOD_SECONDS = 87_600 * 3600;

const FREQUENCY = /^([+-]?\d+)([mh])$/;

const SECONDS = { m: 60, h: 3600 } as const;

/**
 * Seconds of a period such as `5m` or ` 1H `; counts below zero come to 0.
 * Throws INVALID_REQUEST for anything else.
 */
export const frequencySeconds = (freq: string): number => {
  const text = freq.trim().toLowerCase();
  const match = FREQUENCY.exec(text);
  if (!match) {
    const what = text === '' ? 'freq must be valid' : `Unsupported freq: '${freq}'`;
    throw new TollamaError('INVALID_REQUEST', `malformed input: ${what}`, {
      hint: 'write a number of minutes or hours, such as 5m or 1h',
    });
  }
  return Math.max(0, Number(match[1])) * SECONDS[match[2] as 'm' | 'h'];
};

/** Whether it is a period that forecasts can have. */
export const isFrequency = (freq: string): boolean =>
  FREQUENCY.test(freq.trim().toLowerCase()) &&
  frequencySeconds(freq) > 0 &&
  frequencySeconds(freq) <= MAX_PERIOD_SECONDS;
