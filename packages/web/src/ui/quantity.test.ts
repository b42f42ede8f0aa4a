import { expect, test } from 'vitest';
import {
  formatBytes,
  formatMilliseconds,
  formatRelative,
  formatSeconds,
  formatValue,
  plural,
} from './quantity.ts';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1500, '1.5 kB'],
  [191e6, '191 MB'],
  [2.5e12, '2.5 TB'],
  [9e15, '9000 TB'],
])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

test.each([
  [0, '0 s'],
  [59.6, '1 min 0 s'],
  [3725, '1 h 2 min'],
  [90_000, '1 d 1 h'],
])('%d seconds', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

test.each([
  [0.1234, '0.12 ms'],
  [12.34, '12 ms'],
  [123.4, '123 ms'],
  [1234, '1.23 s'],
  [61_000, '1 min 1 s'],
])('%d milliseconds', (ms, text) => expect(formatMilliseconds(ms)).toBe(text));

test.each([
  [0, '0'],
  [1234.5, '1,235'],
  [123.45, '123.5'],
  [1.234, '1.23'],
  [-0.01234, '-0.0123'],
  [1e-9, '1.000e-9'],
])('the value %d', (value, text) => expect(formatValue(value)).toBe(text));

test('times from now', () => {
  expect(formatRelative(60_000, 0)).toBe('in 1 min');
  expect(formatRelative(0, 7_200_000)).toBe('2 h ago');
});

test('plurals', () => {
  expect(plural(1, 'step')).toBe('1 step');
  expect(plural(2000, 'series', 'series')).toBe('2,000 series');
});
