import { fc, test as property } from '@fast-check/vitest';
import { expect } from 'vitest';
import { applyAdjustment, type Band, coverageOf, fitAdjustment } from './adjustment.ts';

const unit = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const band: fc.Arbitrary<Band> = fc.tuple(unit, unit, unit).map((values) => {
  const [q10, q50, q90] = [...values].sort((a, b) => a - b) as [number, number, number];
  return { q10, q50, q90 };
});
const shift = fc.double({ min: -1, max: 1, noNaN: true });
const scale = fc.double({ min: 0, max: 10, noNaN: true });

property.prop([band, shift, scale])(
  'a calibrated band ascends within [0, 1]',
  (given, center_shift, width_scale) => {
    const adjustment = {
      target_coverage: 0.9,
      quantile_level: 0.9,
      center_shift,
      width_scale,
      sample_size: 1,
    };
    const { q10, q50, q90 } = applyAdjustment(given, adjustment);
    expect(0 <= q10 && q10 <= q50 && q50 <= q90 && q90 <= 1).toBe(true);
    const reversed = { q10: given.q90, q50: given.q50, q90: given.q10 };
    expect(applyAdjustment(reversed, adjustment)).toEqual(applyAdjustment(given, adjustment));
  },
);

property.prop([
  fc.array(fc.tuple(band, unit), { minLength: 1, maxLength: 60 }),
  fc.double({ min: 0.5, max: 0.95, noNaN: true }),
])(
  'bands that are widened as fitted hold at least the target share of what they were fitted on',
  (samples, target) => {
    // A band of no width is measured by a floor and cannot be widened to hold anything.
    const wide = samples.map(([one, actual]): [Band, number] => [
      { ...one, q10: one.q10 - 0.01, q90: one.q90 + 0.01 },
      actual,
    ]);
    const bands = wide.map(([one]) => one);
    const actuals = wide.map(([, actual]) => actual);
    const adjustment = fitAdjustment(bands, actuals, target);
    expect(adjustment.sample_size).toBe(bands.length);
    // The scale is interpolated between order statistics: one sample of n may fall out.
    const slightly = { ...adjustment, width_scale: adjustment.width_scale * (1 + 1e-9) + 1e-9 };
    const held = coverageOf(
      bands.map((one) => applyAdjustment(one, slightly)),
      actuals,
    );
    expect(held.empirical_coverage).toBeGreaterThanOrEqual(target - 1 / bands.length - 1e-9);
  },
);
