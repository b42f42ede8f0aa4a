import { expect, test } from 'vitest';
import { timeLabels } from './time-labels.ts';

const at = (text: string): number => Date.parse(`${text}Z`) / 1000;

test.each([
  [
    ['2024-12-31T00:00', '2025-01-01T00:00', '2025-01-02T00:00'],
    86_400,
    ['31 Dec\n2024', '1 Jan\n2025', '2 Jan'],
  ],
  [['2024-11-01T00:00', '2025-02-01T00:00'], 90 * 86_400, ['Nov\n2024', 'Feb\n2025']],
  [['2020-01-01T00:00', '2022-01-01T00:00'], 730 * 86_400, ['2020', '2022']],
  [
    ['2024-01-01T18:00', '2024-01-02T00:00', '2024-01-02T06:00'],
    21_600,
    ['18:00\n1 Jan', '00:00\n2 Jan', '06:00'],
  ],
  [['2024-01-01T00:00:05'], 5, ['00:00:05\n1 Jan']],
])('%j', (times, step, labels) => {
  expect(timeLabels(times.map(at), step)).toEqual(labels);
});
