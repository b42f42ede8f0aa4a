import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pathScaler, SCALINGS } from './path-scaler.ts';

const values = fc.array(fc.float({ min: -1000, max: 1000, noNaN: true }), { maxLength: 20 });

describe('pathScaler', () => {
  test.each([...SCALINGS, null])('%s: values that come later count like known ones', (scaling) => {
    fc.assert(
      fc.property(values, values, (known, added) => {
        const grown = pathScaler(scaling, Float32Array.from(known), added.length);
        for (const value of added) grown.insert(value);
        const whole = pathScaler(scaling, Float32Array.from([...known, ...added]), 0);
        expect(grown.affine.loc).toBeCloseTo(whole.affine.loc, 3);
        expect(grown.affine.scale).toBeCloseTo(whole.affine.scale, 3);
      }),
    );
  });

  test('mean divides by the mean size, std standardises, null leaves as it is', () => {
    const known = Float32Array.of(-1, 3, 4);
    expect(pathScaler('mean', known, 0).affine).toEqual({ loc: 0, scale: Math.fround(8 / 3) });
    const { loc, scale } = pathScaler('std', known, 0).affine;
    expect(loc).toBeCloseTo(2, 6);
    expect(scale).toBeCloseTo(Math.sqrt(14 / 3 + 1e-5), 6);
    expect(pathScaler(null, known, 0).affine).toEqual({ loc: 0, scale: 1 });
  });

  test('of nothing', () => {
    const none = new Float32Array(0);
    expect(pathScaler('mean', none, 0).affine.scale).toBe(Math.fround(1e-10));
    expect(pathScaler('std', none, 0).affine).toEqual({ loc: 0, scale: Math.fround(1e-5 ** 0.5) });
    expect(pathScaler('robust', none, 0).affine).toEqual({ loc: 0, scale: 1 });
  });
});
