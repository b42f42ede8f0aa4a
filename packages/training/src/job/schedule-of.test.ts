import { JobOptions } from '@tollama/core/training-job';
import { expect, test } from 'vitest';
import { scheduleAt } from '../schedule/schedule.ts';
import { scheduleOf } from './schedule-of.ts';

const optionsWith = (schedule: unknown) => JobOptions.parse({ schedule });

test.each(['cosine', 'linear', 'constant', 'wsd', 'one-cycle'])(
  '%s reaches the rate that is asked for, and no more',
  (name) => {
    const spec = scheduleOf(optionsWith(name), 100, 0.01);
    const rates = Array.from({ length: 100 }, (_, k) => scheduleAt(spec, 0.01, k).learningRate);
    expect(Math.max(...rates)).toBeCloseTo(0.01, 9);
  },
);

test('one-cycle turns the momentum against the rate', () => {
  const spec = scheduleOf(optionsWith('one-cycle'), 100, 0.01);
  expect(scheduleAt(spec, 0.01, 0).learningRate).toBeCloseTo(0.0004, 12);
  expect(scheduleAt(spec, 0.01, 0).momentum).toBe(0.95);
  expect(scheduleAt(spec, 0.01, 29).momentum).toBeCloseTo(0.85, 9);
  expect(scheduleAt(spec, 0.01, 99).momentum).toBeCloseTo(0.95, 9);
});
