import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatFrequency, parseFrequency } from './frequency.ts';
import { futureTimestamps } from './future.ts';
import { inferFrequency } from './infer.ts';

const range = (start: string, alias: string, length: number): string[] => [
  start,
  ...futureTimestamps(start, parseFrequency(alias), length - 1),
];

const without = (items: readonly string[], ...positions: readonly number[]): string[] =>
  items.filter((_, i) => !positions.includes(i));

const alias = (stamps: readonly string[]): string => inferFrequency(stamps).alias;

describe('strict inference', () => {
  test.each([
    ['D', ['2024-01-01', '2024-01-02', '2024-01-03']],
    ['2D', ['2024-01-30', '2024-02-01', '2024-02-03']],
    ['W-SUN', ['2024-01-07', '2024-01-14', '2024-01-21']],
    ['MS', ['2024-01-01', '2024-02-01', '2024-03-01', '2024-04-01']],
    ['ME', ['2024-01-31', '2024-02-29', '2024-03-31']],
    ['MS', ['2024-01', '2024-02', '2024-03']],
    ['BMS', ['2024-06-03', '2024-07-01', '2024-08-01', '2024-09-02']],
    ['QS-JAN', ['2023-10-01', '2024-01-01', '2024-04-01']],
    ['QS-JAN', ['2023Q4', '2024Q1', '2024Q2']],
    ['QE-DEC', ['2023-09-30', '2023-12-31', '2024-03-31']],
    ['YS-JAN', ['1880', '1881', '1882']],
    ['10YS-JAN', ['1880', '1890', '1900']],
    ['YE-JUN', ['2022-06-30', '2023-06-30', '2024-06-30']],
    ['B', ['2024-01-04', '2024-01-05', '2024-01-08', '2024-01-09']],
    ['h', ['2024-01-01T23:00:00', '2024-01-02T00:00:00', '2024-01-02T01:00:00']],
    ['15min', ['2024-01-01 00:00', '2024-01-01 00:15', '2024-01-01 00:30']],
    ['250ms', ['2024-01-01T00:00:00.000', '2024-01-01T00:00:00.250', '2024-01-01T00:00:00.500']],
    ['h', ['1704067200', '1704070800', '1704074400']],
    ['bh', range('2024-01-05 09:00', 'bh', 30)],
    ['WOM-2TUE', ['2024-01-09', '2024-02-13', '2024-03-12', '2024-04-09']],
    ['1', ['1', '2', '3', '4']],
    ['5', ['995', '1000', '1005']],
    ['D', ['31.12.2023', '01.01.2024', '02.01.2024']],
    ['MS', ['01.11.2023', '01.12.2023', '01.01.2024']],
    ['MS', ['Jan 1 2000', 'Feb 1 2000', 'Mar 1 2000']],
    // The clocks go forward on 31 March: hours of the same length, offsets that change.
    ['h', ['2024-03-31T01:00:00+01:00', '2024-03-31T03:00:00+02:00', '2024-03-31T04:00:00+02:00']],
    ['D', ['2024-03-30T00:00:00+01:00', '2024-03-31T00:00:00+01:00', '2024-04-01T00:00:00+02:00']],
    // Two stamps have one step.
    ['MS', ['2024-01-01', '2024-02-01']],
    ['h', ['2024-01-01T00:00', '2024-01-01T01:00']],
  ])('%s', (expected, stamps) => {
    expect(inferFrequency(stamps)).toEqual({
      alias: expected,
      frequency: parseFrequency(expected),
    });
  });
});

describe('the dominant step', () => {
  test('covers gaps with a warning that counts them', () => {
    const stamps = without(range('2024-01-01', 'D', 30), 10, 11, 20);
    expect(inferFrequency(stamps)).toMatchObject({
      alias: 'D',
      warning: "freq 'D' is inferred from 24 of 26 steps; the others differ",
    });
  });

  test.each([
    ['B', without(range('2024-01-01', 'B', 60), 12, 30)],
    ['MS', without(range('2020-01-01', 'MS', 40), 7, 22)],
    ['ME', without(range('2020-01-31', 'ME', 40), 7)],
    ['QS-JAN', without(range('2000-01-01', 'QS', 40), 7)],
    ['W-SAT', without(range('2020-01-04', 'W-SAT', 40), 7)],
    ['h', without(range('2024-01-01 00:00', 'h', 40), 7)],
    ['2', without(range('10', '2', 40), 7)],
    ['h', [...range('2024-10-27 00:00', 'h', 3), ...range('2024-10-27 02:00', 'h', 30)]],
  ])('%s', (expected, stamps) => {
    expect(inferFrequency(stamps)).toMatchObject({
      alias: expected,
      warning: expect.stringContaining(`freq '${expected}' is inferred from`),
    });
  });

  test('needs half of the steps only where there are 1000 of them', () => {
    const gappy = (length: number) =>
      range('2024-01-01 00:00', 'min', length).filter((_, i) => i % 5 !== 1 && i % 5 !== 2);
    expect(alias(gappy(2000))).toBe('min');
    expect(() => inferFrequency(gappy(500))).toThrow("freq 'auto' cannot be inferred");
  });

  test.each([
    [['2024-01-01', '2024-01-05', '2024-02-20'], 'differ too much'],
    [
      ['2024-01-03', '2024-01-02', '2024-01-01'],
      "timestamp 2 ('2024-01-02') is before timestamp 1",
    ],
    [['2024-01-03'], "a single timestamp ('2024-01-03') has no step"],
    [['2024-01-03', '2024-01-03'], 'differ too much'],
    [[], 'there are no timestamps'],
    [['1', '2', '10', '50'], 'differ too much'],
  ])('is refused for %j', (stamps, because) => {
    const infer = () => inferFrequency(stamps);
    expect(infer).toThrow("freq 'auto' cannot be inferred");
    expect(infer).toThrow(because);
    expect(infer).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
  });
});

/** Starts on the grid of each alias that inference can give back; short ranges of BME look like ME. */
const GRIDS: readonly (readonly [string, string])[] = [
  ['D', '2019-12-30'],
  ['W-WED', '2020-02-26'],
  ['MS', '1999-11-01'],
  ['ME', '1999-11-30'],
  ['BMS', '2019-06-03'],
  ['BME', '2019-05-31'],
  ['QS-FEB', '2020-02-01'],
  ['QE-NOV', '2020-02-29'],
  ['YS-JUL', '1896-07-01'],
  ['YE-FEB', '1896-02-29'],
  ['h', '2024-02-28T22:00:00'],
  ['min', '2024-02-28 23:50'],
  ['s', '1969-12-31T23:59:50Z'],
  ['ms', '2024-01-01T00:00:00.995'],
];

test('the frequency of a generated range is inferred back', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...GRIDS),
      fc.integer({ min: 1, max: 11 }),
      fc.integer({ min: 30, max: 60 }),
      ([name, start], multiple, length) => {
        const frequency = parseFrequency(`${multiple}${name}`);
        const stamps = range(start, formatFrequency(frequency), length);
        const inferred = inferFrequency(stamps);
        expect(inferred.warning).toBeUndefined();
        // Another name of the same steps will do: 12 months are a year.
        expect(futureTimestamps(stamps.at(-1)!, inferred.frequency, 20)).toEqual(
          futureTimestamps(stamps.at(-1)!, frequency, 20),
        );
        if (multiple === 1 && name !== 'D') expect(inferred.alias).toBe(name);
      },
    ),
    { numRuns: 300 },
  );
});
