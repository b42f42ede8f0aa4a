import { resolve } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { declaring } from '@tollama/graph';
import { tensorOf } from '@tollama/graph/testing/run-graph';
import { afterAll, describe, expect } from 'vitest';
import type { ModelSeries } from '../family.ts';
import { openModel } from '../open-model.ts';
import { ANCHORS, Anchors } from './tollama-nano/anchors.ts';
import { NanoConfig, nanoGraph } from './tollama-nano/network.ts';
import { prepareSeries, STEP_FEATURES } from './tollama-nano/prepare.ts';
import { planOf } from './tollama-nano/rehearsal.ts';
import { autoregress, autoregression, smoothed } from './tollama-nano/smoothing.ts';

const model = await openModel(resolve(import.meta.dirname, '../../pretrained/tollama-nano'), {
  threads: 1,
});
afterAll(() => model[Symbol.asyncDispose]());

const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const seriesOf = (values: ArrayLike<number>, freq?: string): ModelSeries => ({
  id: 'a',
  targets: [values],
  ...(freq !== undefined && { freq }),
});

const ask = async (series: readonly ModelSeries[], horizon: number, quantiles = LEVELS) =>
  (await model.forecast({ series, horizon, quantiles, options: {} })).forecasts.map(
    ({ targets }) => targets[0]!,
  );

const wave = (length: number, period = 24): Float64Array =>
  Float64Array.from(
    { length },
    (_, t) => 10 + 3 * Math.sin((2 * Math.PI * t) / period) + 0.5 * Math.sin(t * t),
  );

describe('forecasts', () => {
  test('follow a season for any horizon, with quantiles in order', async () => {
    const values = wave(400);
    const [forecast] = await ask([seriesOf(values, 'h')], 100);
    for (let h = 0; h < 100; h++) {
      const expected = 10 + 3 * Math.sin((2 * Math.PI * (400 + h)) / 24);
      expect(Math.abs(forecast!.quantiles[4]![h]! - expected)).toBeLessThan(1);
      for (let q = 1; q < 9; q++) {
        expect(forecast!.quantiles[q]![h]!).toBeGreaterThanOrEqual(forecast!.quantiles[q - 1]![h]!);
      }
    }
  });

  const numbers = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), {
    minLength: 1,
    maxLength: 80,
  });
  test.prop([numbers, fc.integer({ min: 1, max: 30 })], { numRuns: 25 })(
    'are finite and move with the unit of the series',
    async (values, horizon) => {
      const [forecast] = await ask([seriesOf(values)], horizon);
      const [scaled] = await ask([seriesOf(values.map((value) => 8 * value))], horizon);
      const size = 1e-3 * (1 + Math.max(...values.map(Math.abs)));
      forecast!.quantiles.forEach((row, q) => {
        Array.from(row).forEach((value, h) => {
          expect(Number.isFinite(value)).toBe(true);
          expect(Math.abs(8 * value - scaled!.quantiles[q]![h]!)).toBeLessThan(8 * size);
        });
      });
    },
  );

  test('do not depend on what they are batched with', async () => {
    const [alone] = await ask([seriesOf(wave(100))], 5);
    const [, among] = await ask([seriesOf(wave(60, 7)), seriesOf(wave(100))], 5);
    expect(among).toEqual(alone);
  });

  test('stay at zero or above where the history does', async () => {
    const counts = Float64Array.from({ length: 90 }, (_, t) => (t % 4 === 0 ? 1 + (t % 3) : 0));
    const [forecast] = await ask([seriesOf(counts)], 12);
    for (const row of forecast!.quantiles) {
      expect(Math.min(...Array.from(row))).toBeGreaterThanOrEqual(0);
    }
  });

  test('repeat a constant, give 0 for nothing, cross missing values', async () => {
    const [constant] = await ask([seriesOf([4, 4, 4])], 3);
    expect(Array.from(constant!.mean)).toEqual([4, 4, 4]);
    const [nothing] = await ask([seriesOf([Number.NaN])], 2);
    expect(Array.from(nothing!.mean)).toEqual([0, 0]);
    const [whole] = await ask([seriesOf(wave(90))], 6);
    const [cut] = await ask([seriesOf([...wave(90), Number.NaN, Number.NaN])], 4);
    expect(cut!.quantiles[4]![0]).toBeCloseTo(whole!.quantiles[4]![2]!, 6);
  });
});

describe('anchors', () => {
  test('know only what lies before their origin', () => {
    const values = wave(200, 12);
    const changed = values.slice();
    changed.fill(1e3, 150);
    const seasons = { period: 12, long: 0 };
    const steps = [1, 5, 20];
    const [a, b] = [values, changed].map((y) => {
      const out = new Float64Array(steps.length * ANCHORS.length);
      new Anchors(y, seasons, 120, 20, true).forecast(140, steps, out);
      return out;
    });
    expect(a).toEqual(b);
  });

  test('are all right about a pure season, but those without one', () => {
    const y = Float64Array.from({ length: 240 }, (_, t) => Math.cos((2 * Math.PI * t) / 12));
    const out = new Float64Array(ANCHORS.length);
    new Anchors(y, { period: 12, long: 0 }, 240, 12, false).forecast(240, [5], out);
    const expected = Math.cos((2 * Math.PI * 244) / 12);
    ANCHORS.forEach((name, i) => {
      if (name === 'last value' || name === 'smoothed season') return;
      expect(Math.abs(out[i]! - expected), name).toBeLessThan(0.02);
    });
  });

  test('an autoregression finds its coefficient and returns to its mean', () => {
    const e = new Float64Array(3000);
    let state = 12345;
    for (let t = 1; t < e.length; t++) {
      state = (1103515245 * state + 12345) % 2147483648;
      e[t] = 0.7 * e[t - 1]! + state / 2147483648 - 0.5;
    }
    const fitted = autoregression(e, 0, e.length);
    expect(fitted.coefficients[0]).toBeCloseTo(0.7, 1);
    const path = autoregress(fitted, e, 0, e.length, 200);
    expect(path[199]).toBeCloseTo(fitted.mean, 4);
  });

  test('smoothing follows a walk closely and a noise hardly', () => {
    const noise = Float64Array.from({ length: 500 }, (_, t) => Math.sin(t * t * 1.7));
    let sum = 0;
    const walk = noise.map((value) => (sum += value));
    expect(smoothed(walk, 0, 500, false).gain).toBeGreaterThan(smoothed(noise, 0, 500, false).gain);
  });
});

test('a plan of rehearsals stays in the second half and before the end', () => {
  for (const [n, horizon] of [
    [2, 1],
    [9, 4],
    [100, 24],
    [4096, 900],
  ] as const) {
    const { origins, until } = planOf(n, horizon);
    for (const { end, steps } of origins) {
      expect(end).toBeGreaterThanOrEqual(until);
      expect(end + Math.max(...steps)).toBeLessThanOrEqual(n);
    }
    expect(until).toBeGreaterThanOrEqual(Math.min(n, Math.max(3, Math.floor(n / 2))));
  }
});

test('rows are finite whatever the series', () => {
  for (const values of [
    [1, 2],
    [0, 0, 1],
    [1e12, -1e12, 1e12, 0],
    [...wave(40), 1e9],
  ]) {
    const prepared = prepareSeries(Float64Array.from(values), { horizon: 7, candidates: [7] });
    const { features, deviations } = prepared.rows([1, 3, 7]);
    expect(features).toHaveLength(3 * STEP_FEATURES);
    expect(features.every(Number.isFinite)).toBe(true);
    expect(deviations.every(Number.isFinite)).toBe(true);
    expect(prepared.context.every(Number.isFinite)).toBe(true);
  }
});

test('its weights are those that its config asks for, below 4 million', () => {
  const { weights, declared } = declaring();
  nanoGraph(NanoConfig.parse(model.config), weights);
  const count = [...declared.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  expect([...declared.keys()].sort()).toEqual([...model.checkpoint.tensors.keys()].sort());
  expect(count).toBeLessThan(4e6);
  expect(model.checkpoint.sizeBytes).toBeLessThan(8e6);
});

test('a graph run gives nine quantiles a step', async () => {
  const zeros = (dims: readonly number[]) =>
    tensorOf(dims, new Array(dims.reduce((a, b) => a * b, 1)).fill(0));
  const { context, features, deviations } = Object.fromEntries(
    nanoGraph(NanoConfig.parse(model.config), declaring().weights).inputs.map((node) => [
      node.name,
      zeros(node.shape.map((dim) => (typeof dim === 'number' ? dim : 2))),
    ]),
  );
  const { quantiles } = await model.run('forward', {
    context: context!,
    features: features!,
    deviations: deviations!,
  });
  expect(quantiles!.dims).toEqual([2, 2, 9]);
});
