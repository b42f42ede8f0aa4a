import { findSeasons } from '@tollama/models/statistical/seasonality';
import { describe, expect, test } from 'vitest';
import { trendOf } from './calendar.ts';
import { cycleTemplates } from './cycle-templates.ts';
import { dynamical } from './dynamical.ts';
import { matern } from './gaussian-bank.ts';
import { deviationOf, type Generator, meanOf } from './generator.ts';
import { intermittent } from './intermittent.ts';
import { type Kernel, sampleStationary } from './kernel-synth.ts';
import { createRandom } from './random.ts';
import { regimeSwitching } from './regime-switching.ts';
import { drawPolynomial } from './sarima.ts';
import { drawSeries, SOURCES } from './sources.ts';
import { spikes } from './spikes.ts';
import { steps } from './steps.ts';
import { structural } from './structural.ts';
import { walks } from './walks.ts';
import { waveforms } from './waveforms.ts';

const LENGTH = 400;

const correlationAt = (values: Float64Array, lag: number): number => {
  const mean = meanOf(values);
  let own = 1e-12;
  let cross = 0;
  for (let t = 0; t < values.length; t++) {
    own += (values[t]! - mean) ** 2;
    if (t >= lag) cross += (values[t]! - mean) * (values[t - lag]! - mean);
  }
  return cross / own;
};

const differencesOf = (values: Float64Array): Float64Array =>
  values.slice(1).map((value, t) => value - values[t]!);

/** A number of each of many draws. */
const over = (
  generate: Generator,
  count: number,
  of: (values: Float64Array, periods: readonly number[]) => number,
): number[] =>
  Array.from({ length: count }, (_, i) => {
    const { values, periods } = generate(createRandom(21, i), LENGTH);
    return of(values, periods);
  });

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1]!;

describe.each(SOURCES.map((source, index) => ({ ...source, index })))(
  '$name',
  ({ generate, index }) => {
    test.each([16, 100, 1500])('gives %i finite values, the same for the same seed', (length) => {
      for (let i = 0; i < 5; i++) {
        const { values, periods } = generate(createRandom(4, i), length);
        expect(values).toHaveLength(length);
        expect(values.every(Number.isFinite)).toBe(true);
        expect(periods.every((period) => period > 1)).toBe(true);
        expect(generate(createRandom(4, i), length).values).toEqual(values);
      }
    });

    test('keeps its length through the tail', () => {
      for (let i = 0; i < 10; i++) {
        const { values, source } = drawSeries(createRandom(5, i), 200, index);
        expect(values).toHaveLength(200);
        expect(source).toBe(index);
      }
    });
  },
);

test('weights of the mix leave out what is held out', () => {
  const random = createRandom(6);
  const drawn = new Set(Array.from({ length: 300 }, () => drawSeries(random, 40).source));
  expect(drawn.size).toBe(SOURCES.filter(({ weight }) => weight > 0).length);
  expect(drawn.has(SOURCES.findIndex(({ name }) => name === 'dynamical'))).toBe(false);
});

describe('laws', () => {
  const periodic = (d: number): number => Math.exp(-2 * Math.sin((Math.PI * d) / 24) ** 2);
  const long = 100;
  const cases: readonly (readonly [string, readonly Kernel[], (d: number) => number])[] = [
    ['a periodic kernel', [{ kind: 'periodic', period: 24 }], periodic],
    [
      'an RBF kernel',
      [{ kind: 'rbf', length: 0.1 }],
      (d) => Math.exp(-((d / long / 0.1) ** 2) / 2),
    ],
    [
      'their product',
      [
        { kind: 'periodic', period: 24 },
        { kind: 'rbf', length: 0.1 },
      ],
      (d) => periodic(d) * Math.exp(-((d / long / 0.1) ** 2) / 2),
    ],
  ];
  test.each(cases)('draws have the covariance of %s', (_, factors, kernel) => {
    const random = createRandom(8);
    const lags = [0, 3, 6, 12];
    const sums = lags.map(() => 0);
    const draws = 3000;
    for (let i = 0; i < draws; i++) {
      const values = sampleStationary(random, factors, long);
      lags.forEach((lag, k) => {
        sums[k]! += (values[30]! * values[30 + lag]!) / draws;
      });
    }
    lags.forEach((lag, k) => {
      expect(Math.abs(sums[k]! - kernel(lag))).toBeLessThan(0.12);
    });
  });

  test('a Matern process of order 1/2 has variance 1 and forgets at its rate', () => {
    const values = matern(createRandom(9), 1, 0.2, 20_000);
    expect(deviationOf(values)).toBeCloseTo(1, 0);
    expect(correlationAt(values, 5)).toBeCloseTo(Math.exp(-1), 1);
  });

  test('calendar trends grow or fall tenfold at most, beside their line', () => {
    for (let i = 0; i < 50; i++) {
      const trend = trendOf(createRandom(10, i), 500, 12);
      expect(Math.max(...trend) / Math.min(...trend)).toBeLessThan(10 * 80);
      expect(Math.min(...trend)).toBeGreaterThan(0);
    }
  });

  test('autoregressions from poles within the unit circle die out', () => {
    for (let i = 0; i < 30; i++) {
      const a = drawPolynomial(createRandom(12, i), 6, 0.9);
      const response = new Float64Array(400);
      response[0] = 1;
      for (let t = 1; t < 400; t++) {
        for (let k = 0; k < Math.min(t, a.length); k++)
          response[t]! += a[k]! * response[t - 1 - k]!;
      }
      expect(Math.abs(response[399]!)).toBeLessThan(1e-6);
    }
  });

  test('regime switching returns to its mean', () => {
    const spreads = over(regimeSwitching, 40, (values) => deviationOf(values));
    expect(Math.max(...spreads)).toBeLessThan(20);
  });

  test('structural series are above zero where they are exponentials', () => {
    const shares = over(structural, 100, (values) => (values.every((value) => value > 0) ? 1 : 0));
    expect(meanOf(shares)).toBeGreaterThan(0.3);
  });

  test('the season of cycle templates is found', () => {
    const hits = Array.from({ length: 60 }, (_, i) => {
      const { values, periods } = cycleTemplates(createRandom(22, i), 2000);
      const found = findSeasons(values, periods).map(({ length }) => length);
      return periods.some((period) => found.includes(period)) ? 1 : 0;
    });
    expect(meanOf(hits)).toBeGreaterThan(0.85);
  });

  test('steps hold still between changes', () => {
    const ratios = over(steps, 40, (values) => {
      const sizes = differencesOf(values).map(Math.abs).sort();
      return sizes[sizes.length - 2]! / (sizes[sizes.length >> 1]! + 1e-9);
    });
    expect(median(ratios)).toBeGreaterThan(4);
  });

  test('spikes have heavy tails', () => {
    const tails = over(spikes, 40, (values) => {
      const mean = meanOf(values);
      const deviation = deviationOf(values);
      return meanOf(values.map((value) => ((value - mean) / deviation) ** 4));
    });
    expect(median(tails)).toBeGreaterThan(4);
  });

  test('waveforms repeat at one of their periods', () => {
    const best = over(waveforms, 40, (values, periods) =>
      Math.max(...periods.map((period) => correlationAt(values, period))),
    );
    expect(median(best)).toBeGreaterThan(0.5);
  });

  test('steps of walks do not tell the next', () => {
    const correlations = over(walks, 60, (values) => correlationAt(differencesOf(values), 1));
    expect(Math.abs(median(correlations))).toBeLessThan(0.2);
  });

  test('intermittent demand is whole, not negative, often nothing', () => {
    const zeros = over(intermittent, 60, (values) => {
      expect(values.every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
      return values.filter((value) => value === 0).length / values.length;
    });
    expect(median(zeros)).toBeGreaterThan(0.4);
  });

  test('dynamical systems stay on their attractors', () => {
    const sizes = over(
      dynamical,
      40,
      (values) => Math.max(...values.map(Math.abs)) / (1 + deviationOf(values)),
    );
    expect(Math.max(...sizes)).toBeLessThan(100);
  });
});
