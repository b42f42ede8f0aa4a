import { describe, expect, test } from 'vitest';
import { calendarOf, timeFeatures } from './time-features.ts';

/** Second, minute, hour, weekday, day of the month and of the year, from the features of one period. */
const fieldsOf = (features: Float32Array): number[] => {
  const spans = [59, 59, 23, 6, 30, 365];
  const fields = spans.map((span, i) => Math.round((features[i]! + 0.5) * span));
  return [...fields.slice(0, 4), fields[4]! + 1, fields[5]! + 1];
};

const START = '2021-03-06T05:16:27.123';

describe('timeFeatures', () => {
  // pandas 2.1.4: PeriodIndex of the start at places 0, 1 and 7.
  test.each<[string, number[][]]>([
    [
      'min',
      [
        [0, 16, 5, 5, 6, 65],
        [0, 17, 5, 5, 6, 65],
        [0, 23, 5, 5, 6, 65],
      ],
    ],
    [
      '15min',
      [
        [0, 16, 5, 5, 6, 65],
        [0, 31, 5, 5, 6, 65],
        [0, 1, 7, 5, 6, 65],
      ],
    ],
    [
      'h',
      [
        [0, 0, 5, 5, 6, 65],
        [0, 0, 6, 5, 6, 65],
        [0, 0, 12, 5, 6, 65],
      ],
    ],
    [
      '4h',
      [
        [0, 0, 5, 5, 6, 65],
        [0, 0, 9, 5, 6, 65],
        [0, 0, 9, 6, 7, 66],
      ],
    ],
    [
      'D',
      [
        [0, 0, 0, 5, 6, 65],
        [0, 0, 0, 6, 7, 66],
        [0, 0, 0, 5, 13, 72],
      ],
    ],
    [
      '2D',
      [
        [0, 0, 0, 5, 6, 65],
        [0, 0, 0, 0, 8, 67],
        [0, 0, 0, 5, 20, 79],
      ],
    ],
    [
      'B',
      [
        [0, 0, 0, 0, 8, 67],
        [0, 0, 0, 1, 9, 68],
        [0, 0, 0, 2, 17, 76],
      ],
    ],
    [
      'W',
      [
        [0, 0, 0, 6, 7, 66],
        [0, 0, 0, 6, 14, 73],
        [0, 0, 0, 6, 25, 115],
      ],
    ],
    [
      'W-WED',
      [
        [0, 0, 0, 2, 10, 69],
        [0, 0, 0, 2, 17, 76],
        [0, 0, 0, 2, 28, 118],
      ],
    ],
    [
      '2W',
      [
        [0, 0, 0, 6, 7, 66],
        [0, 0, 0, 6, 21, 80],
        [0, 0, 0, 6, 13, 164],
      ],
    ],
    [
      'ME',
      [
        [0, 0, 0, 2, 31, 90],
        [0, 0, 0, 4, 30, 120],
        [0, 0, 0, 6, 31, 304],
      ],
    ],
    [
      'MS',
      [
        [0, 0, 0, 2, 31, 90],
        [0, 0, 0, 4, 30, 120],
        [0, 0, 0, 6, 31, 304],
      ],
    ],
    [
      '3M',
      [
        [0, 0, 0, 2, 31, 90],
        [0, 0, 0, 2, 30, 181],
        [0, 0, 0, 5, 31, 365],
      ],
    ],
    [
      'QE',
      [
        [0, 0, 0, 2, 31, 90],
        [0, 0, 0, 2, 30, 181],
        [0, 0, 0, 5, 31, 365],
      ],
    ],
    [
      'QS',
      [
        [0, 0, 0, 2, 31, 90],
        [0, 0, 0, 2, 30, 181],
        [0, 0, 0, 5, 31, 365],
      ],
    ],
    [
      'QE-OCT',
      [
        [0, 0, 0, 4, 30, 120],
        [0, 0, 0, 5, 31, 212],
        [0, 0, 0, 1, 31, 31],
      ],
    ],
    [
      '2QE',
      [
        [0, 0, 0, 2, 31, 90],
        [0, 0, 0, 3, 30, 273],
        [0, 0, 0, 0, 30, 274],
      ],
    ],
    [
      'YE',
      [
        [0, 0, 0, 4, 31, 365],
        [0, 0, 0, 5, 31, 365],
        [0, 0, 0, 6, 31, 366],
      ],
    ],
    [
      'YE-JUN',
      [
        [0, 0, 0, 2, 30, 181],
        [0, 0, 0, 3, 30, 181],
        [0, 0, 0, 4, 30, 182],
      ],
    ],
    [
      's',
      [
        [27, 16, 5, 5, 6, 65],
        [28, 16, 5, 5, 6, 65],
        [34, 16, 5, 5, 6, 65],
      ],
    ],
    [
      '30s',
      [
        [27, 16, 5, 5, 6, 65],
        [57, 16, 5, 5, 6, 65],
        [57, 19, 5, 5, 6, 65],
      ],
    ],
    [
      'ms',
      [
        [27, 16, 5, 5, 6, 65],
        [27, 16, 5, 5, 6, 65],
        [27, 16, 5, 5, 6, 65],
      ],
    ],
  ])('periods of %s are those of pandas', (freq, wanted) => {
    const calendar = calendarOf(START, freq);
    expect([0, 1, 7].map((i) => fieldsOf(timeFeatures(calendar, i, 1)))).toEqual(wanted);
  });

  test('before the first point there is no time', () => {
    const features = timeFeatures(calendarOf('2021-01-01', 'D'), -2, 3);
    expect([...features.subarray(0, 12)]).toEqual(new Array(12).fill(0));
    expect(fieldsOf(features.subarray(12))).toEqual([0, 0, 0, 4, 1, 1]);
  });

  test.each([
    [undefined, 'D'],
    ['2021-01-01', undefined],
    ['2021-01-01', 'auto'],
    ['7', '1'],
    ['2021-01-01', 'SMS'],
    ['2021-01-01', 'WOM-3FRI'],
  ])('of start %s and frequency %s there is no calendar', (start, freq) => {
    expect(calendarOf(start, freq)).toBeUndefined();
    expect([...timeFeatures(undefined, 0, 1)]).toEqual([0, 0, 0, 0, 0, 0]);
  });
});
