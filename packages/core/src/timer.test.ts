import { expect, test } from 'vitest';
import { timerMs } from './timer.ts';

test.each([
  [5, 5],
  [-1, 0],
  [1e15, 2 ** 31 - 1],
  [Number.POSITIVE_INFINITY, 2 ** 31 - 1],
])('%d ms waits %d', (asked, waited) => {
  expect(timerMs(asked)).toBe(waited);
});
