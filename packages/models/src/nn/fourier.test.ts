import { input } from '@tollama/graph';
import { evaluate, numbersOf, tensorOf } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { powerSpectrum } from './fourier.ts';

const squaredMagnitude = (x: readonly number[], bin: number): number => {
  const angle = (i: number) => (2 * Math.PI * bin * i) / x.length;
  const re = x.reduce((sum, value, i) => sum + value * Math.cos(angle(i)), 0);
  const im = x.reduce((sum, value, i) => sum + value * Math.sin(angle(i)), 0);
  return re * re + im * im;
};

test.each([1, 2, 7, 12, 30, 41, 64, 90])(
  'of %i points is that of the definition',
  async (length) => {
    const x = Array.from({ length }, (_, i) => Math.sin(i * i) + 0.2 * i);
    const values = tensorOf([1, 2, length], [...x, ...x.toReversed()]);
    const power = numbersOf(
      await evaluate(powerSpectrum(input('x', ['b', 2, length])), { x: values }),
    );
    const bins = Math.floor(length / 2) + 1;
    const want = Array.from({ length: bins }, (_, bin) => squaredMagnitude(x, bin));
    expect(power.length).toBe(2 * bins);
    // Reversing a real series changes phases only.
    [...want, ...want].forEach((value, i) => {
      expect(Math.abs(power[i]! - value)).toBeLessThan(1e-4 * (1 + value));
    });
  },
);
