import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { inProcessBackend } from '../backend/in-process.ts';
import { whatIf } from '../scenario/what-if.ts';
import { createOnlineDetector, DETECTION_LEVELS, detectAnomalies, type Predict } from './detect.ts';
import { probabilityBelow, scoreValue, valueAt } from './score.ts';

const wave = (length: number): Float64Array =>
  Float64Array.from(
    { length },
    (_, t) => 50 + 10 * Math.sin((2 * Math.PI * t) / 24) + Math.sin(t * t * 0.7),
  );

const withSpike = (length: number, at: number, size: number): Float64Array => {
  const values = wave(length);
  values[at]! += size;
  return values;
};

const model = await inProcessBackend().load({ model: 'auto', device: null, options: {} });
const predict: Predict = (task) => model.forecast(task);

describe('scores', () => {
  const step = { levels: DETECTION_LEVELS, values: DETECTION_LEVELS.map((level) => 10 * level) };

  test('1 at the edge of the interval, 0 in the middle', () => {
    const { lower, upper, expected } = scoreValue(step, 5, 90);
    expect(expected).toBeCloseTo(5, 12);
    expect(scoreValue(step, lower, 90).score).toBeCloseTo(-1, 12);
    expect(scoreValue(step, upper, 90).score).toBeCloseTo(1, 12);
    expect(scoreValue(step, upper + 0.01, 90).isAnomaly).toBe(true);
    expect(scoreValue(step, lower, 90).probability).toBeCloseTo(0.1, 9);
  });

  test.prop([fc.double({ min: 0.0001, max: 0.9999, noNaN: true })])(
    'probabilities are the inverse of values',
    (level) => {
      expect(probabilityBelow(step, valueAt(step, level))).toBeCloseTo(level, 9);
    },
  );

  test.prop([
    fc.double({ min: -50, max: 50, noNaN: true }),
    fc.double({ min: 0, max: 9, noNaN: true }),
  ])('further out is odder', (value, more) => {
    const side = value < 5 ? -more : more;
    const [near, far] = [scoreValue(step, value, 95), scoreValue(step, value + side, 95)];
    expect(Math.abs(far.score)).toBeGreaterThanOrEqual(Math.abs(near.score) - 1e-12);
    expect(far.probability).toBeLessThanOrEqual(near.probability + 1e-12);
  });

  test('a forecast without a spread: any other value is odd, the same is not', () => {
    const flat = { levels: DETECTION_LEVELS, values: DETECTION_LEVELS.map(() => 3) };
    expect(scoreValue(flat, 3, 99).isAnomaly).toBe(false);
    expect(scoreValue(flat, 3.1, 99).isAnomaly).toBe(true);
  });
});

describe('batch', () => {
  const options = { step: 24, minHistory: 96, level: 99 };

  test('a spike is found where it is, and the calm is not', async () => {
    const series = [
      { id: 'odd', freq: 'h', target: withSpike(200, 150, 30) },
      { id: 'calm', freq: 'h', target: wave(200) },
    ];
    const [odd, calm] = await detectAnomalies(series, predict, options);
    const found = odd!.points.filter(({ isAnomaly }) => isAnomaly);
    expect(found.map(({ at }) => at)).toContain(150);
    expect(found.find(({ at }) => at === 150)!.score).toBeGreaterThan(3);
    expect(odd!.points).toHaveLength(104);
    expect(calm!.points.filter(({ isAnomaly }) => isAnomaly).length).toBeLessThan(6);
  });

  test('only the last points, missing ones left out', async () => {
    const target = wave(150);
    target[148] = Number.NaN;
    const [one] = await detectAnomalies([{ id: 'a', freq: 'h', target }], predict, {
      ...options,
      last: 5,
    });
    expect(one!.points.map(({ at }) => at)).toEqual([145, 146, 147, 149]);
  });

  test('a series that is too short is named', async () => {
    const short = [{ id: 'tiny', freq: 'h', target: wave(20) }];
    await expect(detectAnomalies(short, predict, options)).rejects.toThrow(/series 'tiny' has 20/);
  });
});

test('online gives the verdicts of batch, value by value', async () => {
  const target = withSpike(160, 140, -40);
  const series = { id: 'a', freq: 'h', target: target.slice(0, 136) };
  const detector = createOnlineDetector(series, predict, { step: 12, level: 99 });
  const online = [];
  for (const value of target.slice(136)) online.push(await detector.observe(value));
  const [batch] = await detectAnomalies([{ id: 'a', freq: 'h', target }], predict, {
    ...{ step: 12, minHistory: 136, level: 99 },
  });
  expect(online.map(({ score }) => score)).toEqual(batch!.points.map(({ score }) => score));
  expect(online[4]!.isAnomaly).toBe(true);
});

test('what if: scenarios differ from what is expected by what they change', async () => {
  const echo: Predict = async ({ series, horizon, quantiles }) => ({
    forecasts: series.map(({ id, target, futureCovariates }) => {
      const price = futureCovariates?.price ?? [];
      const mean = new Float64Array(horizon).map((_, h) => target.at(-1)! - (price[h] ?? 0));
      return { id, mean, quantiles: quantiles.map(() => mean) };
    }),
    warnings: [],
  });
  const series = {
    id: 's',
    freq: 'D',
    target: Float64Array.of(1, 2),
    pastCovariates: { price: [5, 5] },
    futureCovariates: { price: [5, 5] },
  };
  const [expected, sale, shock] = await whatIf(
    series,
    echo,
    [
      { name: 'sale', shiftCovariates: { price: -2 } },
      { name: 'shock', shock: { points: 1, factor: 2 } },
    ],
    { horizon: 2, quantiles: [0.5] },
  );
  expect([...expected!.difference]).toEqual([0, 0]);
  expect([...sale!.difference]).toEqual([2, 2]);
  expect([...shock!.difference]).toEqual([2, 2]);
});
