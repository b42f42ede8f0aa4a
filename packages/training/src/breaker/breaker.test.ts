import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { seededRandom } from '../clock/seeded-random.ts';
import { Breaker, TOLARIA_BREAKER } from './breaker.ts';

/** Fails the trial call of each half-open, and answers how long each opening lasted. */
const windows = (breaker: Breaker, openings: number): number[] => {
  let now = 0;
  for (let i = 0; i < 3; i++) breaker.fail(now);
  return Array.from({ length: openings }, () => {
    const until = breaker.snapshot().openUntilMs!;
    const lasted = until - now;
    now = until;
    expect(breaker.allow(now)).toBe(true);
    breaker.fail(now);
    return lasted;
  });
};

test('the cooldown doubles with each re-opening, up to eightfold', () => {
  const breaker = new Breaker({ ...TOLARIA_BREAKER, jitter: 0 });
  expect(windows(breaker, 6)).toEqual([30_000, 60_000, 120_000, 240_000, 240_000, 240_000]);
});

test('closing it starts over', () => {
  const breaker = new Breaker({ ...TOLARIA_BREAKER, jitter: 0 });
  windows(breaker, 2);
  expect(breaker.allow(1e9)).toBe(true);
  breaker.succeed();
  expect(breaker.state).toBe('closed');
  expect(windows(breaker, 1)).toEqual([30_000]);
});

property.prop([fc.integer()])('jitter is seeded and within 10 %', (seed) => {
  const make = () => new Breaker({ ...TOLARIA_BREAKER, random: seededRandom(seed) });
  const first = windows(make(), 5);
  expect(windows(make(), 5)).toEqual(first);
  first.forEach((lasted, i) => {
    const base = 30_000 * Math.min(2 ** i, 8);
    expect(Math.abs(lasted / base - 1)).toBeLessThanOrEqual(0.1 + 1e-9);
  });
});

test('jitter without a source is refused', () => {
  expect(() => new Breaker(TOLARIA_BREAKER)).toThrow('needs a source of random numbers');
});
