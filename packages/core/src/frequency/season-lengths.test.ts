import { expect, test } from 'vitest';
import { parseFrequency } from './frequency.ts';
import { seasonLengths } from './season-lengths.ts';

test.each([
  ['h', [24, 168]],
  ['6h', [4, 28]],
  ['7h', [24]],
  ['24h', [7]],
  ['15min', [96, 672]],
  ['10min', [144, 1008]],
  ['5min', [288, 2016, 12]],
  ['min', [1440, 10_080, 60]],
  ['10s', [360, 8640, 6]],
  ['s', [3600, 86_400, 60]],
  ['100ms', [600, 10, 36_000]],
  ['D', [7]],
  ['7D', [52]],
  ['B', [5]],
  ['bh', [8, 40]],
  ['W', [52]],
  ['2W', [26]],
  ['MS', [12]],
  ['ME', [12]],
  ['3MS', [4]],
  ['SMS', [24]],
  ['Q', [4]],
  ['Y', []],
  ['1', []],
])('%s has %j', (alias, lengths) => {
  expect(seasonLengths(parseFrequency(alias))).toEqual(lengths);
});
