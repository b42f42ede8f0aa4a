import { describe, expect, it } from 'vitest';
import { autoEts } from './auto-ets.ts';
import { type EtsForm, etsMean, etsVariance, runEts } from './ets.ts';
import { toHistory } from './history.ts';
import { normalQuantile } from './normal.ts';
import { simulator } from './simulate.ts';
import { lineThrough, runTheta, theta, thetaMean } from './theta.ts';

const FLAT: EtsForm = { trend: 'none', season: 'none', period: 1 };

describe('normalQuantile', () => {
  it.each([
    [0.5, 0],
    [0.975, 1.9599639845400545],
    [0.1, -1.2815515655446004],
    [0.001, -3.090232306167813],
    [1e-20, -9.262340089798409],
  ])('%d -> %d', (level, z) => {
    expect(normalQuantile(level)).toBeCloseTo(z, 12);
  });
});

describe('exponential smoothing', () => {
  it('without trend and season is simple smoothing', () => {
    const state = { level: 10, trend: 0, season: new Float64Array(1) };
    const errors = new Float64Array(3);
    runEts(
      Float64Array.of(12, 9, 11),
      FLAT,
      { alpha: 0.5, beta: 0, gamma: 0, phi: 1 },
      state,
      errors,
    );
    expect(Array.from(errors)).toEqual([2, -2, 1]);
    expect(state.level).toBe(10.5);
  });

  it("with an additive trend is Holt's method", () => {
    const form = { ...FLAT, trend: 'additive' } as const;
    const state = { level: 0, trend: 1, season: new Float64Array(1) };
    const parameters = { alpha: 0.5, beta: 0.25, gamma: 0, phi: 1 };
    runEts(Float64Array.of(3), form, parameters, state);
    expect(state).toMatchObject({ level: 2, trend: 1.5 });
    expect(Array.from(etsMean(form, 1, state, 1, 2))).toEqual([3.5, 5]);
  });

  it('with a multiplicative season multiplies', () => {
    const form: EtsForm = { trend: 'none', season: 'multiplicative', period: 2 };
    const state = { level: 10, trend: 0, season: Float64Array.of(0.5, 1.5) };
    runEts(Float64Array.of(10, 15), form, { alpha: 0.1, beta: 0, gamma: 0.1, phi: 1 }, state);
    expect(state.season[0]).toBeCloseTo(0.55, 12);
    expect(state.level).toBeCloseTo(11 + (0.1 * (15 - 16.5)) / 1.5, 12);
  });

  it('has the variances of the book', () => {
    const p = { alpha: 0.4, beta: 0.1, gamma: 0.2, phi: 1 };
    const h3 = (form: EtsForm, phi = 1): number => etsVariance(form, { ...p, phi }, 3)[2]!;
    expect(h3(FLAT)).toBeCloseTo(1 + 0.16 * 2, 12);
    expect(h3({ ...FLAT, trend: 'additive' })).toBeCloseTo(1 + 0.5 ** 2 + 0.6 ** 2, 12);
    expect(h3({ ...FLAT, trend: 'damped' }, 0.9)).toBeCloseTo(1 + 0.49 ** 2 + 0.571 ** 2, 12);
    expect(h3({ ...FLAT, season: 'additive', period: 2 })).toBeCloseTo(1 + 0.16 + 0.36, 12);
  });
});

describe('AutoETS', () => {
  const history = (at: (t: number) => number, n = 120, seasons: readonly number[] = []) =>
    toHistory(
      Float64Array.from({ length: n }, (_, t) => at(t)),
      seasons,
    );

  it('finds the smoothing of a local level', () => {
    const { normal } = simulator(1);
    let level = 0;
    const local = history(() => {
      const e = normal();
      const y = level + e;
      level += 0.5 * e;
      return y;
    }, 800);
    const { explanation } = autoEts(local, 1);
    expect(explanation.form).toBe('ETS(A,N,N)');
    expect(explanation.alpha as number).toBeGreaterThan(0.4);
    expect(explanation.alpha as number).toBeLessThan(0.6);
  });

  it('takes a multiplicative season where the amplitude grows with the level', () => {
    const { normal } = simulator(2);
    const growing = history(
      (t) => (100 + 4 * t) * (1 + 0.5 * Math.sin((2 * Math.PI * t) / 12)) * (1 + 0.01 * normal()),
      120,
      [12],
    );
    const { explanation, mean } = autoEts(growing, 12);
    expect(explanation.form).toMatch(/^ETS\(M,Ad?,M\)$/);
    const raw = mean.map((value) => value * growing.scale + growing.shift);
    const truth = Float64Array.from(
      { length: 12 },
      (_, h) => (100 + 4 * (120 + h)) * (1 + 0.5 * Math.sin((2 * Math.PI * (120 + h)) / 12)),
    );
    for (let h = 0; h < 12; h++) expect(Math.abs(raw[h]! / truth[h]! - 1)).toBeLessThan(0.05);
  });

  it('takes an additive season where it does not', () => {
    const { normal } = simulator(3);
    const steady = history(
      (t) => 4 * t + 50 * Math.sin((2 * Math.PI * t) / 12) + normal(),
      120,
      [12],
    );
    expect(autoEts(steady, 12).explanation.form).toMatch(/^ETS\(A,A?d?N?,A\)$/);
  });
});

describe('Theta', () => {
  const y = Float64Array.from({ length: 30 }, (_, t) => t + ((t * 7) % 5));

  it('of 2 is simple smoothing with half the slope (Hyndman and Billah)', () => {
    const line = lineThrough(y);
    const alpha = 0.3;
    const fit = runTheta(y, 2, alpha, line);
    let level = y[0]!;
    for (const value of y.subarray(1)) level += alpha * (value - level);
    const lag = 1 / alpha - (1 - alpha) ** y.length / alpha;
    thetaMean(y, fit, line, 5).forEach((value, h) => {
      expect(value).toBeCloseTo(level + (line.slope / 2) * (h + lag), 10);
    });
  });

  it('equals its definition: line and smoothed theta line, weighted', () => {
    const line = lineThrough(y);
    const [weight, alpha] = [3, 0.4];
    const curve = y.map(
      (value, t) => weight * value + (1 - weight) * (line.intercept + line.slope * (t + 1)),
    );
    let level = curve[0]!;
    for (const value of curve.subarray(1)) level += alpha * (value - level);
    const fit = runTheta(y, weight, alpha, line);
    thetaMean(y, fit, line, 5).forEach((value, h) => {
      const straight = line.intercept + line.slope * (y.length + h + 1);
      expect(value).toBeCloseTo(level / weight + (1 - 1 / weight) * straight, 10);
    });
  });

  it.each([8, 40])('carries a straight line of %i points on', (length) => {
    const history = toHistory(
      Float64Array.from({ length }, (_, t) => 5 + 2 * t),
      [],
    );
    const raw = theta(history, 3).mean.map((value) => value * history.scale + history.shift);
    [1, 3, 5].forEach((step, h) => {
      const expected = 5 + 2 * (length - 1) + step + 1;
      expect(Math.abs(raw[h]! - expected)).toBeLessThan(1);
    });
  });

  it('does not take a step at the end of a short history for a slope', () => {
    const history = toHistory(Float64Array.from([2, 2.01, 2, 10.01, 10]), []);
    expect(theta(history, 12).explanation.theta).toBeLessThanOrEqual(2);
  });
});
