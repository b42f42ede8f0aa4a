import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { BLEND_OPERATORS, blendAt, blendPlan } from './blend.ts';

const number = fc.double({ min: -2, max: 2, noNaN: true });
const unit = fc.double({ min: 0, max: 1, noNaN: true });
const STEP = 1e-5;

property.prop([fc.constantFrom(...BLEND_OPERATORS), number, number, unit, unit])(
  'the factor of the seed is the derivative, where the forward value depends on the seed',
  (operator, host, seed, alpha, gate) => {
    if (operator === 'straight-through') return;
    const at = (s: number) => blendAt(operator, { host, seed: s, alpha, gate });
    const slope = (at(seed + STEP).value - at(seed - STEP).value) / (2 * STEP);
    expect(at(seed).seedFactor).toBeCloseTo(slope, 6);
  },
);

property.prop([number, number])('at alpha 0 every operator is the host', (host, seed) => {
  for (const operator of BLEND_OPERATORS) {
    expect(blendAt(operator, { host, seed, alpha: 0 }).value === host).toBe(true);
  }
});

test('the convex operator opens with HOLDING, where its host would get no gradient', () => {
  expect(blendAt('convex', { host: 1, seed: 2, alpha: 1 }).hostFactor).toBe(0);
  expect(blendPlan('BLENDING', 'convex').isIsolated).toBe(true);
  expect(blendPlan('HOLDING', 'convex').isIsolated).toBe(false);
  expect(blendPlan('HOLDING').isIsolated).toBe(true);
  expect(blendPlan('FOSSILIZED').isIsolated).toBe(false);
});
