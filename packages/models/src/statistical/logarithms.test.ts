import { describe, expect, it } from 'vitest';
import { auto } from './auto.ts';
import { toHistory } from './history.ts';
import { isMultiplicative, ofLogarithms } from './logarithms.ts';
import { drift } from './naive.ts';

const growing = toHistory(
  Float64Array.from(
    { length: 60 },
    (_, t) => 100 * 1.02 ** t * (1 + 0.3 * Math.sin(t * (Math.PI / 6))),
  ),
  [12],
);

describe('logarithms', () => {
  it('suit what is above 0 and changes by rates', () => {
    expect(isMultiplicative(growing)).toBe(true);
    expect(isMultiplicative(toHistory(Float64Array.of(0, 1, 5), []))).toBe(false);
    expect(isMultiplicative(toHistory(Float64Array.of(-1, 1, 5), []))).toBe(false);
    expect(isMultiplicative(toHistory(Float64Array.of(100, 101, 99), []))).toBe(false);
  });

  it('turn a drift into a rate', () => {
    const history = toHistory(Float64Array.of(1, 2, 4, 8), []);
    const { mean } = ofLogarithms(drift)(history, 2);
    const raw = mean.map((value) => value * history.scale + history.shift);
    expect(raw[0]).toBeCloseTo(16, 9);
    expect(raw[1]).toBeCloseTo(32, 9);
  });

  it('are what auto takes for a growing series', () => {
    const { explanation, quantile } = auto(growing, 24);
    expect(explanation.chosen).toBe('mstl of logarithms');
    const raw = quantile(0.5).map((value) => value * growing.scale + growing.shift);
    const truth = 100 * 1.02 ** 83 * (1 + 0.3 * Math.sin(83 * (Math.PI / 6)));
    expect(raw[23]! / truth).toBeCloseTo(1, 2);
  });
});
