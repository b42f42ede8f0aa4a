import { expect, test } from 'vitest';
import { frequencyToken } from './frequency.ts';

test.each([
  ['min', 1],
  ['1min', 1],
  ['T', 1],
  ['5T', 3],
  ['15min', 5],
  ['1h', 7],
  ['H', 7],
  ['1D', 8],
  ['W', 9],
  ['60min', 0],
  ['W-SUN', 0],
  ['MS', 0],
  ['constructor', 0],
])('%s is token %i', (alias, token) => {
  expect(frequencyToken(alias)).toBe(token);
});
