import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { parseTimestamp } from './timestamp.ts';

test.each([
  ['2026-02-20T12:00:00Z', '2026-02-20T12:00:00Z'],
  ['2026-02-20T12:00:00+00:00', '2026-02-20T12:00:00Z'],
  ['2026-02-20T21:00:00+09:00', '2026-02-20T21:00:00+09:00'],
  ['2026-02-20T21:00:00-0330', '2026-02-20T21:00:00-03:30'],
  ['2026-02-20 12:00', '2026-02-20T12:00:00'],
  ['2026-02-20', '2026-02-20T00:00:00'],
  ['2026-02-20T12:00:00.5Z', '2026-02-20T12:00:00.500000Z'],
  [1771588800, '2026-02-20T12:00:00Z'],
  [1771588800000, '2026-02-20T12:00:00Z'],
  [1771588800.25, '2026-02-20T12:00:00.250000Z'],
])('%s is echoed as %s', (given, text) => {
  expect(parseTimestamp(given)?.text).toBe(text);
});

test.each([
  'yesterday',
  '',
  '2026-02-30',
  '2026-13-01',
  '2026-02-20T24:00:00Z',
  '2026-02-20T12:60Z',
  null,
  true,
  {},
  Number.NaN,
])('%s is no time', (given) => {
  expect(parseTimestamp(given)).toBeUndefined();
});

property.prop([fc.date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })])(
  'agrees with the platform on instants',
  (date) => {
    const parsed = parseTimestamp(date.toISOString())!;
    expect(parsed.micros).toBe(date.getTime() * 1000);
    expect(parseTimestamp(parsed.text)?.micros).toBe(parsed.micros);
  },
);
