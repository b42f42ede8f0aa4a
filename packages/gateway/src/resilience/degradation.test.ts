import { expect, test } from 'vitest';
import { Degradation } from './degradation.ts';

const SETTINGS = {
  windowMs: 1000,
  minRequests: 4,
  degradedEnter: 0.3,
  baselineOnlyEnter: 0.7,
  degradedExit: 0.15,
  baselineOnlyExit: 0.25,
  probeEvery: 3,
};

test('it is left only through degraded, and not while the breaker is open', () => {
  const degradation = new Degradation(() => SETTINGS);
  for (let i = 0; i < 4; i++) degradation.record(false, i, false);
  expect(degradation.state).toBe('baseline-only');
  for (let i = 0; i < 4; i++) degradation.record(true, 2000 + i, true);
  expect(degradation.state).toBe('baseline-only');
  degradation.record(true, 2005, false);
  expect(degradation.state).toBe('degraded');
  degradation.record(true, 2006, false);
  expect(degradation.state).toBe('normal');
});

test('baseline-only still tries each n-th request', () => {
  const degradation = new Degradation(() => SETTINGS);
  for (let i = 0; i < 4; i++) degradation.record(false, i, false);
  expect(Array.from({ length: 6 }, () => degradation.shouldSkip())).toEqual([
    true,
    true,
    false,
    true,
    true,
    false,
  ]);
});
