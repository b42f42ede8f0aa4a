import { resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { ModelSeries, Task } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';
import type { TtmConfig } from './granite-ttm/config.ts';
import { callModel } from './granite-ttm/windows.ts';

const golden = resolve(import.meta.dirname, '../../../../golden/granite-ttm');
const open = (name: string) => openModel(resolve(golden, name), { threads: 1 });
const [points, quantiles, decomposed, exogenous, categorical, tuned] = await Promise.all(
  ['r2-base', 'r3-plain', 'r3-dec', 'r2-exog', 'r2-cat', 'r2-ft'].map(open),
);
const models = { points, quantiles, decomposed, exogenous, categorical, tuned };
afterAll(() => Promise.all(Object.values(models).map((model) => model![Symbol.asyncDispose]())));

const CONTEXT = 32;
const STEPS = 12;

const task = (series: readonly ModelSeries[], rest: Partial<Task> = {}): Task => ({
  series,
  horizon: STEPS,
  quantiles: [],
  options: {},
  ...rest,
});

const univariate = (row: ArrayLike<number>, i = 0): ModelSeries => ({
  id: `s${i}`,
  targets: [row],
  freq: 'h',
});

type Model = typeof points;

const meansOf = async (model: Model, rows: readonly ArrayLike<number>[], rest?: Partial<Task>) => {
  const { forecasts } = await model!.forecast(task(rows.map(univariate), rest));
  return forecasts.map(({ targets }) => Array.from(targets[0]!.mean));
};

const expectClose = (got: readonly number[], want: readonly number[], scale = 1): void => {
  expect(got.length).toBe(want.length);
  got.forEach((value, i) => {
    expect(Math.abs(value - want[i]!)).toBeLessThan(2e-3 * scale);
  });
};

/** A wave that is never constant. */
const history = fc
  .tuple(
    fc.integer({ min: 5, max: 50 }),
    fc.double({ min: 0.2, max: 2, noNaN: true }),
    fc.double({ min: 0.5, max: 3, noNaN: true }),
  )
  .map(([length, step, size]) =>
    Float64Array.from({ length }, (_, i) => size * Math.sin(step * i) + 0.3 * Math.cos(7 * i)),
  );
const batch = fc.array(history, { minLength: 2, maxLength: 4 });
const horizon = fc.integer({ min: 1, max: 30 });
const few = { numRuns: 12 };

const wave = Float64Array.from({ length: CONTEXT }, (_, i) => Math.sin(0.7 * i) + 0.02 * i);

describe.each([
  ['a point forecaster', points],
  ['a quantile forecaster', quantiles],
  ['a decomposed forecaster', decomposed],
])('%s', (_, model) => {
  test('a batch of unequal lengths equals its series one by one', async () => {
    await fc.assert(
      fc.asyncProperty(batch, horizon, async (rows, steps) => {
        const together = await meansOf(model, rows, { horizon: steps });
        for (const [i, row] of rows.entries()) {
          expectClose(together[i]!, (await meansOf(model, [row], { horizon: steps }))[0]!);
        }
      }),
      few,
    );
  });

  test('scaling and shifting a series scales and shifts its forecast', async () => {
    const factor = fc.double({ min: 0.001, max: 1000, noNaN: true });
    const level = fc.double({ min: -100, max: 100, noNaN: true });
    await fc.assert(
      fc.asyncProperty(history, factor, level, async (row, a, b) => {
        const [plain] = await meansOf(model, [row]);
        const [moved] = await meansOf(model, [row.map((value) => a * value + b)]);
        const want = plain!.map((value) => a * value + b);
        expectClose(moved!, want, 10 * Math.max(a, Math.abs(b) * 1e-3));
      }),
      few,
    );
  });

  test('a longer horizon continues a shorter one', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, horizon, async (row, a, b) => {
        const [short] = await meansOf(model, [row], { horizon: Math.min(a, b) });
        const [long] = await meansOf(model, [row], { horizon: Math.max(a, b) });
        expectClose(long!.slice(0, short!.length), short!);
      }),
      few,
    );
  });

  test('without the external scaler only the context counts', async () => {
    const options = { scaling: false };
    const long = Float64Array.from([...wave.map((x) => 5 * x), ...wave]);
    expect(await meansOf(model, [long], { options })).toEqual(
      await meansOf(model, [wave], { options }),
    );
  });

  test('missing values are left out of the scale and the forecast is finite', async () => {
    const row = wave.slice();
    for (const at of [0, 7, 8, CONTEXT - 1]) row[at] = Number.NaN;
    const [mean] = await meansOf(model, [row]);
    expect(mean!.every(Number.isFinite)).toBe(true);
    const shifted = row.map((value) => value + 50);
    expectClose(
      (await meansOf(model, [shifted]))[0]!,
      mean!.map((value) => value + 50),
    );
  });

  test('a series without any value has a finite forecast', async () => {
    const [mean] = await meansOf(model, [new Float64Array(8).fill(Number.NaN)]);
    expect(mean!.every(Number.isFinite)).toBe(true);
  });

  test('variates are independent series', async () => {
    const other = wave.map((value, i) => value * (1 + 0.1 * i));
    const { forecasts } = await model!.forecast(task([{ id: 'both', targets: [wave, other] }]));
    const means = forecasts[0]!.targets.map(({ mean }) => Array.from(mean));
    expect(means).toEqual(await meansOf(model, [wave, other]));
  });
});

describe('quantiles', () => {
  const levels = [0.05, 0.1, 0.15, 0.5, 0.9, 0.97];

  test.each([
    ['plain', quantiles],
    ['decomposed', decomposed],
  ])('of a %s model ascend, and the median is the point forecast', async (_, model) => {
    await fc.assert(
      fc.asyncProperty(history, async (row) => {
        const { forecasts } = await model!.forecast(task([univariate(row)], { quantiles: levels }));
        const [{ mean, quantiles: rows }] = forecasts[0]!.targets as [
          (typeof forecasts)[0]['targets'][0],
        ];
        expect(rows.length).toBe(levels.length);
        for (let t = 0; t < STEPS; t++) {
          const fan = rows.map((quantile) => quantile[t]!);
          expect(fan).toEqual(fan.toSorted((a, b) => a - b));
        }
        expectClose(Array.from(rows[3]!), Array.from(mean));
      }),
      few,
    );
  });

  test('levels beyond the head and horizons beyond one pass are warned of', async () => {
    const { warnings } = await quantiles!.forecast(
      task([univariate(wave)], { quantiles: levels, horizon: STEPS + 1 }),
    );
    expect(warnings).toEqual([
      'quantiles 0.05, 0.97 lie beyond the levels 0.1 to 0.9 of this checkpoint: they are extrapolated',
      'quantiles beyond step 12 take the point forecasts before them for certain: they are too narrow',
    ]);
  });

  test('a point forecaster has none and says so', async () => {
    const { forecasts, warnings } = await points!.forecast(
      task([univariate(wave)], { quantiles: [0.5] }),
    );
    expect(forecasts[0]!.targets[0]!.quantiles).toEqual([]);
    expect(warnings).toEqual(['this checkpoint gives point forecasts only: no quantiles']);
  });
});

describe('calls of the model on tensors', () => {
  test('a decomposed model takes contexts of any length from 3 on', async () => {
    const c = decomposed!.config as TtmConfig;
    const windows = [3, 5, 20, 20, 47].map((length) => ({
      values: [wave.slice(0, 1), wave].map(() =>
        Float64Array.from({ length }, (_, i) => Math.cos(i)),
      ),
    }));
    const together = await callModel(decomposed!.run, c, windows);
    for (const [i, window] of windows.entries()) {
      const [alone] = await callModel(decomposed!.run, c, [window]);
      expectClose(Array.from(together[i]!.point[0]!), Array.from(alone!.point[0]!));
    }
    const short = callModel(decomposed!.run, c, [{ values: [[1, 2]] }]);
    await expect(short).rejects.toThrow('a context of 2 points cannot be decomposed');
  });

  test('zeros in front of a short context count unless there is a mask', async () => {
    const c = points!.config as TtmConfig;
    const values = [wave.slice(12).map((value) => value + 9)];
    const observed = [new Uint8Array(20).fill(1)];
    const [counted, masked] = await callModel(points!.run, c, [{ values }, { values, observed }]);
    expect(counted!.loc[0]).toBeCloseTo((masked!.loc[0]! * 20) / CONTEXT, 4);
  });
});

describe('covariates', () => {
  const known = Float64Array.from({ length: CONTEXT }, (_, i) => (i % 4) / 4);
  const promo = Float64Array.from({ length: CONTEXT }, (_, i) => Math.cos(i));
  const future = (size: number, at = 0) =>
    Float64Array.from({ length: size }, (_, t) => ((CONTEXT + t + at) % 4) / 4);
  const series = (steps: number, at = 0): ModelSeries => ({
    id: 'shop',
    targets: [wave, wave.map((value) => 2 * value)],
    pastCovariates: { known, promo },
    futureCovariates: { known: future(steps, at), promo: future(steps) },
  });

  test('are declared as the config has them', () => {
    expect(exogenous!.capabilities).toMatchObject({
      multivariate: true,
      covariates: { future_covariates_numeric: true, past_covariates_numeric: false },
    });
    expect(categorical!.capabilities.covariates.static_covariates).toBe(true);
    expect(points!.capabilities).toMatchObject({ multivariate: false, nativeHorizon: STEPS });
  });

  test('move the forecast, over roll-outs too', async () => {
    const forecast = async (one: ModelSeries, steps: number) => {
      const { forecasts } = await exogenous!.forecast(task([one], { horizon: steps }));
      return forecasts[0]!.targets.map(({ mean }) => Array.from(mean));
    };
    const plain = await forecast(series(30), 30);
    expect(plain.map((mean) => mean.length)).toEqual([30, 30]);
    expect(await forecast(series(30, 1), 30)).not.toEqual(plain);
    const short = await forecast(series(7), 7);
    expect(short.flat().every(Number.isFinite)).toBe(true);
  });

  test('missing ones are refused', async () => {
    const { futureCovariates: _, ...without } = series(STEPS);
    const refused = exogenous!.forecast(task([without]));
    await expect(refused).rejects.toThrow(TollamaError);
    await expect(refused).rejects.toThrow(
      "series 'shop' has 2 targets, past covariates [known,promo]",
    );
    const tooShort = exogenous!.forecast(task([series(STEPS - 1)]));
    await expect(tooShort).rejects.toThrow(
      "future covariate 'known' of series 'shop' has 11 steps, the horizon is 12",
    );
  });

  test('static codes move the forecast; unknown ones are refused', async () => {
    const targets = [wave, wave.map((x) => -x), wave.map((x) => x * x)];
    const forecast = async (staticCovariates: Record<string, unknown>) => {
      const { forecasts } = await categorical!.forecast(
        task([{ id: 'shop', targets, staticCovariates }]),
      );
      return Array.from(forecasts[0]!.targets[0]!.mean);
    };
    const plain = await forecast({ region: 1, kind: 2 });
    expect(await forecast({ region: 3, kind: 2 })).not.toEqual(plain);
    await expect(forecast({ region: 4, kind: 2 })).rejects.toThrow(
      'static covariate 0 must be a category code from 0 to 3, got 4',
    );
  });
});

describe('frequencies', () => {
  const row = wave.slice(2);
  const forecast = async (freq: string | undefined, options = {}) => {
    const one = { id: 'a', targets: [row], ...(freq !== undefined && { freq }) };
    const { forecasts, warnings } = await tuned!.forecast(task([one], { horizon: 10, options }));
    return { mean: Array.from(forecasts[0]!.targets[0]!.mean), warnings };
  };

  test('are read by tuned checkpoints, from the series or an option', async () => {
    const hourly = await forecast('h');
    expect((await forecast('D')).mean).not.toEqual(hourly.mean);
    expect((await forecast('D', { freq_token: 7 })).mean).toEqual(hourly.mean);
    expect(hourly.warnings).toEqual([]);
  });

  test('unknown ones are warned of', async () => {
    const unknown = await forecast('MS');
    expect(unknown.mean).toEqual((await forecast(undefined, { freq_token: 0 })).mean);
    expect(unknown.warnings[0]).toContain('no frequency that this checkpoint knows');
  });
});

test.each([
  [{ scaling: 'yes' }, 'options.scaling = "yes"'],
  [{ freq_token: -1 }, 'options.freq_token = -1'],
])('refuses options: %j', async (options, message) => {
  const refused = points!.forecast(task([univariate(wave)], { options }));
  await expect(refused).rejects.toThrow(TollamaError);
  await expect(refused).rejects.toThrow(message);
});

test.each([
  [{ gate_mode: 'tanh' }, 'gate_mode = "tanh"'],
  [{ patch_stride: 4 }, 'patch_stride = 4'],
  [{ mode: 'flatten' }, 'mode = "flatten"'],
  [{ use_register_context_gating: true }, 'use_register_context_gating = true'],
  [{ scaling: 'revin' }, 'scaling = "revin"'],
  [{ multi_quantile_head: true, quantile_levels: [0.1, 0.5] }, 'quantile_levels = [0.1,0.5]'],
  [{ categorical_vocab_size_list: [3] }, 'decoder_mode = nothing'],
  [{ architectures: ['TinyTimeMixerForMaskedPrediction'] }, 'architectures.0 = "TinyTimeMixerFor'],
  [
    { d_model: 42, adaptive_patching_levels: 4, context_length: 64 },
    'adaptive_patching_levels = 4',
  ],
])('refuses config.json with %j', (keys, message) => {
  const config = { model_type: 'tinytimemixer', context_length: 32, ...keys };
  expect(() => familyOf(config, new Map())).toThrow(message);
});
