import { describe, expect, test } from 'vitest';
import { compareTimestamps, parseTimestamp, parseTimestamps } from './timestamp.ts';

describe('parseTimestamps', () => {
  const kinds = (texts: readonly string[]) => parseTimestamps(texts).map(({ kind }) => kind);

  test('tells years, months, days and epochs from counted integers', () => {
    expect(kinds(['1880', '1881'])).toEqual(['moment', 'moment']);
    expect(kinds(['1', '2'])).toEqual(['index', 'index']);
    expect(kinds(['999', '1000', '1001'])).toEqual(['index', 'index', 'index']);
    expect(kinds(['1880', '9999'])).toEqual(['index', 'index']);
    expect(kinds(['20240229'])).toEqual(['moment']);
    expect(kinds(['20230229'])).toEqual(['index']);
    expect(kinds(['1704067200'])).toEqual(['moment']);
  });

  test.each(['2024-01-31', '20240131', '31.01.2024', '1/31/2024', 'Jan 31, 2024', '1706659200'])(
    'reads %s as the 31st of January',
    (text) => {
      expect(parseTimestamp(text)).toMatchObject({ kind: 'moment', day: 19_753, nanos: 0 });
    },
  );

  test.each([
    ['2024-02-30', 'names a day or an hour that does not exist'],
    ['2023-02-29', 'names a day or an hour that does not exist'],
    ['2024-01-01T25:00', 'names a day or an hour that does not exist'],
    ['13/13/2024', 'names a day or an hour that does not exist'],
    ['yesterday', 'is not a date, a date-time or an integer'],
    ['', 'is not a date, a date-time or an integer'],
    ['1.5', 'is not a date, a date-time or an integer'],
    ['99999999999999999999', 'is too large an integer'],
  ])('refuses %j', (text, because) => {
    expect(() => parseTimestamp(text)).toThrow(`timestamp '${text}' ${because}`);
    expect(() => parseTimestamp(text)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  });

  test('compares in UTC where offsets are written', () => {
    const [a, b] = parseTimestamps(['2024-01-01T00:00:00+02:00', '2023-12-31T23:30:00Z']);
    expect(compareTimestamps(a!, b!)).toBeLessThan(0);
    const [c, d] = parseTimestamps(['2024-01-01T02:00:00+02:00', '2024-01-01T00:00:00Z']);
    expect(compareTimestamps(c!, d!)).toBe(0);
  });
});
