import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseFrequency } from './frequency.ts';
import { futureTimestamps } from './future.ts';
import { compareTimestamps, parseTimestamp, parseTimestamps } from './timestamp.ts';

const future = (last: string, alias: string, horizon = 3): string[] =>
  futureTimestamps(last, parseFrequency(alias), horizon);

describe('calendar steps', () => {
  test.each([
    ['2024-02-28', 'D', ['2024-02-29', '2024-03-01', '2024-03-02']],
    ['2023-02-28', 'D', ['2023-03-01', '2023-03-02', '2023-03-03']],
    ['1900-02-28', 'D', ['1900-03-01', '1900-03-02', '1900-03-03']],
    ['2024-01-31', 'ME', ['2024-02-29', '2024-03-31', '2024-04-30']],
    ['2024-11-30', 'M', ['2024-12-31', '2025-01-31', '2025-02-28']],
    ['2024-11-01', 'MS', ['2024-12-01', '2025-01-01', '2025-02-01']],
    ['2024-01-31', '2ME', ['2024-03-31', '2024-05-31', '2024-07-31']],
    ['2024-05-31', 'BME', ['2024-06-28', '2024-07-31', '2024-08-30']],
    ['2024-06-03', 'BMS', ['2024-07-01', '2024-08-01', '2024-09-02']],
    ['2023-12-31', 'QE', ['2024-03-31', '2024-06-30', '2024-09-30']],
    ['2023-10-01', 'QS-OCT', ['2024-01-01', '2024-04-01', '2024-07-01']],
    ['2023-02-28', 'YE-FEB', ['2024-02-29', '2025-02-28', '2026-02-28']],
    ['2020-07-01', 'AS-JUL', ['2021-07-01', '2022-07-01', '2023-07-01']],
    ['2024-01-04', 'B', ['2024-01-05', '2024-01-08', '2024-01-09']],
    ['2024-01-06', 'B', ['2024-01-08', '2024-01-09', '2024-01-10']],
    ['2024-01-07', 'W', ['2024-01-14', '2024-01-21', '2024-01-28']],
    ['2024-01-15', 'SMS', ['2024-02-01', '2024-02-15', '2024-03-01']],
    ['2024-01-15', 'SME', ['2024-01-31', '2024-02-15', '2024-02-29']],
    ['2024-01-19', 'WOM-3FRI', ['2024-02-16', '2024-03-15', '2024-04-19']],
    ['2024-01-05 15:00', 'bh', ['2024-01-05 16:00', '2024-01-08 09:00', '2024-01-08 10:00']],
    ['2024-12-31 23:30', '15min', ['2024-12-31 23:45', '2025-01-01 00:00', '2025-01-01 00:15']],
  ])('%s + %s', (last, alias, expected) => {
    expect(future(last, alias)).toEqual(expected);
  });

  test.each([
    // Stamps that are off the grid of the alias stay on their own.
    ['2024-04-01', 'M', ['2024-05-01', '2024-06-01', '2024-07-01']],
    ['2024-01-15', 'MS', ['2024-02-15', '2024-03-15', '2024-04-15']],
    ['2024-01-30', 'MS', ['2024-02-29', '2024-03-30', '2024-04-30']],
    ['2024-01-01', 'W', ['2024-01-08', '2024-01-15', '2024-01-22']],
    ['2024-01-01', 'Q', ['2024-04-01', '2024-07-01', '2024-10-01']],
  ])('%s + %s keeps its own grid', (last, alias, expected) => {
    expect(future(last, alias)).toEqual(expected);
  });
});

describe('the notation of the input', () => {
  test.each([
    ['2024-01-31T12:00:00', 'h', '2024-01-31T13:00:00'],
    ['2024-01-31 12:00:00', 'h', '2024-01-31 13:00:00'],
    ['2024-01-31 12:00', 'h', '2024-01-31 13:00'],
    ['2024-01-31T23:00:00Z', 'h', '2024-02-01T00:00:00Z'],
    ['2024-01-31T23:00:00+05:30', 'D', '2024-02-01T23:00:00+05:30'],
    ['2024-01-31 23:00:00.500', 's', '2024-01-31 23:00:01.500'],
    ['2024-01-31T00:00:00.000000', '250ms', '2024-01-31T00:00:00.250000'],
    ['2024-01', 'MS', '2024-02'],
    ['2024-12', 'M', '2025-01'],
    ['202412', 'MS', '202501'],
    ['20241231', 'D', '20250101'],
    ['20241231T2300', 'h', '20250101T0000'],
    ['2024Q4', 'QS', '2025Q1'],
    ['2024-Q4', 'Q', '2025-Q1'],
    ['2024/12/31', 'D', '2025/01/01'],
    ['12/31/2024', 'D', '01/01/2025'],
    ['31/12/2024', 'D', '01/01/2025'],
    ['1/31/2024', 'D', '2/1/2024'],
    ['1/31/24', 'D', '2/1/24'],
    ['31.01.2024', 'D', '01.02.2024'],
    ['12/31/2024 11:00 PM', 'h', '01/01/2025 12:00 AM'],
    ['Dec 31 2024', 'D', 'Jan 1 2025'],
    ['01-Dec-2024', 'MS', '01-Jan-2025'],
    ['December 2024', 'MS', 'January 2025'],
    ['1999', 'Y', '2000'],
    ['1999.0', 'YS', '2000.0'],
    ['1704067200', 'h', '1704070800'],
    ['1704067200000', 'D', '1704153600000'],
    // Where the notation has no place for the next time: ISO 8601.
    ['2024-01-31', 'h', '2024-01-31T01:00:00'],
    ['2024-01-31 00:00', 's', '2024-01-31 00:00:01'],
    ['2024-01-31T00:00:00', '250ms', '2024-01-31T00:00:00.250'],
    ['2024-01-31T00:00:00Z', 'ms', '2024-01-31T00:00:00.001Z'],
    ['2024-01', 'D', '2024-01-02'],
  ])('%s + %s is %s', (last, alias, expected) => {
    expect(future(last, alias, 1)).toEqual([expected]);
  });

  test('neighbours settle the order of day and month, and padding', () => {
    const [, last] = parseTimestamps(['28/2/2023', '10/10/2023']);
    expect(futureTimestamps(last!, parseFrequency('D'), 1)).toEqual(['11/10/2023']);
    const [, unpadded] = parseTimestamps(['9/30/2023', '10/31/2023']);
    expect(futureTimestamps(unpadded!, parseFrequency('D'), 1)).toEqual(['11/1/2023']);
  });

  test('integers count on', () => {
    expect(future('41', '1')).toEqual(['42', '43', '44']);
    expect(future('41', '5')).toEqual(['46', '51', '56']);
    expect(future('-1', '1', 2)).toEqual(['0', '1']);
    expect(future('41.0', '1', 1)).toEqual(['42.0']);
    // Counted rows of hourly data.
    expect(future('41', 'h')).toEqual(['42', '43', '44']);
    expect(future('2020', 'D', 2)).toEqual(['2021', '2022']);
  });

  test('dates do not count as integers', () => {
    expect(() => future('2024-01-01', '1')).toThrow(
      "freq '1' counts integers, but the timestamp '2024-01-01' is a date",
    );
  });
});

test('future timestamps ascend, and going on from the middle gives the same', () => {
  const aliases = [
    'D',
    'B',
    'W-TUE',
    'MS',
    'ME',
    'QE',
    'YS',
    'BME',
    'h',
    '15min',
    's',
    'SMS',
    'bh',
  ];
  fc.assert(
    fc.property(
      fc.constantFrom(...aliases),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: -2e9, max: 4e9 }),
      (alias, multiple, epoch) => {
        const frequency = parseFrequency(`${multiple}${alias}`);
        const start = new Date(epoch * 1000).toISOString().slice(0, 19);
        // One step brings the start onto the grid.
        const [last] = futureTimestamps(start, frequency, 1);
        const stamps = futureTimestamps(last!, frequency, 12);
        const parsed = stamps.map((text) => parseTimestamp(text));
        expect(parsed.every((s, i) => i === 0 || compareTimestamps(parsed[i - 1]!, s) < 0)).toBe(
          true,
        );
        // Days near the edges of months may come upon an edge on their way, and then keep to it.
        const day = Number(last!.slice(8, 10));
        const isNearEdge = /^(MS|ME|QE|YS|BME)$/.test(alias) && (day < 4 || day > 25);
        if (!isNearEdge) {
          expect(futureTimestamps(stamps[5]!, frequency, 6)).toEqual(stamps.slice(6));
        }
      },
    ),
  );
});
