import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { AlphaController, alphaAfter, CURVES } from './alpha-schedule.ts';

const unit = fc.double({ min: 0, max: 1, noNaN: true });
const ramp = fc.record({
  start: unit,
  target: unit,
  steps: fc.integer({ min: 0, max: 50 }),
  curve: fc.constantFrom(...CURVES),
});

property.prop([ramp])('alpha goes from start to target, monotone, and ends exactly', (one) => {
  const values = Array.from({ length: one.steps + 2 }, (_, k) => alphaAfter(one, k));
  if (one.steps > 0) expect(values[0]).toBe(one.start);
  expect(values[one.steps]).toBe(one.target);
  expect(values.at(-1)).toBe(one.target);
  const direction = Math.sign(one.target - one.start);
  for (let k = 1; k < values.length; k++) {
    expect((values[k]! - values[k - 1]!) * direction).toBeGreaterThanOrEqual(-1e-12);
  }
});

property.prop([ramp, fc.nat(60)])(
  'a controller goes on from its state as if nothing happened',
  (one, k) => {
    const first = new AlphaController();
    first.load({ ramp: one, ticks: 0 });
    for (let i = 0; i < k; i++) first.tick();
    const second = new AlphaController();
    second.load(first.state());
    for (let i = 0; i < 60; i++) expect(second.tick()).toBe(first.tick());
  },
);

test('a running ramp cannot be retargeted, a holding one can', () => {
  const alpha = new AlphaController();
  alpha.retarget({ target: 1, steps: 2, curve: 'linear' });
  alpha.tick();
  expect(() => alpha.retarget({ target: 0, steps: 2, curve: 'linear' })).toThrow(
    'alpha is on its way to 1, 1 ticks are left',
  );
  expect(alpha.tick()).toBe(1);
  alpha.retarget({ target: 0.25, steps: 0, curve: 'cosine' });
  expect(alpha.alpha).toBe(0.25);
});

test.each([
  [{ target: 1.5, steps: 3 }, /alpha target = 1.5/],
  [{ target: Number.NaN, steps: 3 }, /alpha target = NaN/],
  [{ target: 1, steps: 2.5 }, /alpha steps = 2.5/],
])('refuses %j', (bad, message) => {
  const alpha = new AlphaController();
  expect(() => alpha.retarget({ ...bad, curve: 'linear' })).toThrow(message);
  expect(alpha.alpha).toBe(0);
});
