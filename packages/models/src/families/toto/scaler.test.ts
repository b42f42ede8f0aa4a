import { describe, expect, test } from 'vitest';
import { NO_MOMENTS, observe } from '../../nn/causal-moments.ts';
import type { Config } from './config.ts';
import { patchScale, scaleBounds, standardized } from './scaler.ts';

const config = (exponent: number, isStable = true): Config =>
  ({ stabilize_with_global: isStable, scale_factor_exponent: exponent }) as Config;

describe('scaler', () => {
  const context = Float32Array.of(1, 3, 0, 5, 7);
  const observed = Uint8Array.of(1, 1, 0, 1, 1);

  test('a patch is scaled by the deviation of what came before its end', () => {
    const { loc, scale } = patchScale(observe(NO_MOMENTS, context, observed), undefined);
    expect(loc).toBe(4);
    expect(scale).toBeCloseTo(Math.sqrt(20 / 3 + 0.1), 6);
    expect(patchScale(NO_MOMENTS, undefined)).toEqual({ loc: 0, scale: Math.fround(0.1 ** 0.5) });
  });

  test('the deviation of the whole context bounds it', () => {
    const whole = Math.sqrt(5 + 0.1);
    const bounds = scaleBounds(context, observed, config(0.1))!;
    expect(bounds.low).toBeCloseTo(whole / 10 ** 0.1, 10);
    expect(bounds.high).toBeCloseTo(whole * 10 ** 0.1, 10);
    expect(patchScale(NO_MOMENTS, bounds).scale).toBe(Math.fround(bounds.low));
    expect(scaleBounds(context, observed, config(10))!.low).toBe(0.1);
    expect(scaleBounds(context, observed, config(10, false))).toBeUndefined();
  });

  test('missing values are scaled as zeros', () => {
    expect([...standardized(context, [{ loc: 4, scale: 2 }])]).toEqual([-1.5, -0.5, -2, 0.5, 1.5]);
  });
});
