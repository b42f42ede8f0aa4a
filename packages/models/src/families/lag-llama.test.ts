import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fc, test } from '@fast-check/vitest';
import { TollamaError } from '@tollama/core/errors';
import { withFolder } from '@tollama/graph/testing/run-graph';
import type { Picklable } from '@tollama/graph/testing/torch-archive';
import { picklable, torchCheckpointOf } from '@tollama/graph/testing/torch-checkpoint';
import { afterAll, describe, expect } from 'vitest';
import type { ModelSeries } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { type OpenModel, openModel } from '../open-model.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/lag-llama/tiny-linear-rope');
const LAG = 1092;
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

type Options = Readonly<Record<string, unknown>>;

const few = { numRuns: 12 };
const small = { num_samples: 3, context_length: 6 };

const seriesOf = (values: ArrayLike<number>, rest: Partial<ModelSeries> = {}): ModelSeries => ({
  id: 'a',
  targets: [values],
  start: '2024-01-31',
  freq: 'D',
  ...rest,
});

const forecast = async (
  series: readonly ModelSeries[],
  horizon: number,
  options: Options = {},
  of: OpenModel = model,
) => {
  const task = { series, horizon, quantiles: [0.1, 0.5, 0.9], options: { ...small, ...options } };
  return (await of.forecast(task)).forecasts.map(({ targets }) => targets[0]!);
};

const pathsOf = async (...request: Parameters<typeof forecast>): Promise<number[][][]> =>
  (await forecast(...request)).map(({ samples }) => samples!.map((path) => [...Array.from(path)]));

/** Differences as a share of the largest number that is compared. */
const expectClose = (got: unknown, want: unknown): void => {
  const flat = (nested: unknown): number[] => (nested as number[]).flat(3);
  const size = Math.max(1e-3, ...flat(want).map(Math.abs));
  expect(flat(got).length).toBe(flat(want).length);
  flat(got).forEach((value, i) => {
    expect(Math.abs(value - flat(want)[i]!)).toBeLessThan(1e-3 * size);
  });
};

const wave = (length: number, step = 0.5, size = 2): Float64Array =>
  Float64Array.from({ length }, (_, i) => size * Math.sin(step * i) + 0.3 * Math.cos(7 * i) + 5);

const history = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.double({ min: 0.2, max: 2, noNaN: true }))
  .map(([length, step]) => wave(length, step));
const horizon = fc.integer({ min: 1, max: 5 });
const options: fc.Arbitrary<Options> = fc.record({
  use_kv_cache: fc.boolean(),
  use_single_pass_sampling: fc.boolean(),
});

describe('lag-llama', () => {
  test('a batch of unequal lengths equals its series one by one', async () => {
    const rows = fc.array(history, { minLength: 2, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(rows, horizon, options, async (batch, steps, chosen) => {
        const series = batch.map((row) => seriesOf(row));
        const together = await pathsOf(series, steps, chosen);
        for (const [i, one] of series.entries()) {
          expectClose(together[i], (await pathsOf([one], steps, chosen))[0]);
        }
      }),
      few,
    );
  });

  test('a longer horizon continues a shorter one', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, horizon, options, async (row, a, b, chosen) => {
        const [short] = await pathsOf([seriesOf(row)], Math.min(a, b), chosen);
        const [long] = await pathsOf([seriesOf(row)], Math.max(a, b), chosen);
        expectClose(
          long!.map((path) => path.slice(0, Math.min(a, b))),
          short,
        );
      }),
      few,
    );
  });

  test('points older than context and lags have no effect', async () => {
    const row = wave(LAG + 6);
    const older = Float64Array.from([1e6, -1e6, ...row]);
    const early = seriesOf(older, { start: '2024-01-29' });
    expect(await pathsOf([early], 3)).toEqual(await pathsOf([seriesOf(row)], 3));
  });

  test('quantiles are values of samples, and belong to a seed', async () => {
    const draw = async (more: Options) =>
      (await forecast([seriesOf(wave(40))], 3, { num_samples: 21, ...more }))[0]!;
    const first = await draw({});
    for (let h = 0; h < 3; h++) {
      const drawn = first.samples!.map((path) => path[h]!).sort((a, b) => a - b);
      expect(first.quantiles.map((row) => row[h])).toEqual([drawn[2], drawn[10], drawn[18]]);
      expect(first.mean[h]).toBeCloseTo(drawn.reduce((a, b) => a + b, 0) / 21, 4);
    }
    expect(await draw({ seed: 0 })).toEqual(first);
    expect(await draw({ seed: 1 })).not.toEqual(first);
  });

  test('every number of samples is the published one unless asked', async () => {
    const { forecasts } = await model.forecast({
      series: [seriesOf(wave(20))],
      horizon: 1,
      quantiles: [],
      options: { context_length: 4 },
    });
    expect(forecasts[0]!.targets[0]!.samples!.length).toBe(100);
  });

  test('draws below zero become zero where that is asked for', async () => {
    const row = wave(40).map((value) => value - 5);
    const chosen = { num_samples: 50, nonnegative_pred_samples: true };
    for (const use_single_pass_sampling of [false, true]) {
      const [paths] = await pathsOf([seriesOf(row)], 3, { ...chosen, use_single_pass_sampling });
      expect(paths!.flat().every((value) => value >= 0)).toBe(true);
      expect(paths!.flat()).toContain(0);
    }
  });

  test('the cache changes later steps only', async () => {
    const [plain] = await pathsOf([seriesOf(wave(40))], 3);
    const [cached] = await pathsOf([seriesOf(wave(40))], 3, { use_kv_cache: true });
    const firstOf = (paths: number[][]) => paths.map((path) => path[0]);
    expect(firstOf(cached!)).toEqual(firstOf(plain!));
    expect(cached).not.toEqual(plain);
  });

  test('missing values are left out of the scaler', async () => {
    const row = [Number.NaN, ...wave(30)];
    row[9] = Number.NaN;
    const late = seriesOf(row, { start: '2024-01-30' });
    const [[path]] = (await pathsOf([late], 3)) as [[number[]]];
    expect(path.every(Number.isFinite)).toBe(true);
    expectClose(
      await pathsOf([seriesOf([Number.NaN, ...wave(12)], { start: '2024-01-30' })], 3),
      await pathsOf([seriesOf(wave(12))], 3),
    );
  });

  test.each([[[]], [[Number.NaN]]])(
    'a series without a value (%s) has a finite forecast',
    async (row) => {
      const [paths] = await pathsOf([seriesOf(row)], 2);
      expect(paths!.flat().every(Number.isFinite)).toBe(true);
    },
  );

  test('without a calendar the time features are 0, with a warning', async () => {
    const { start: _, ...timeless } = seriesOf(wave(20), { freq: '1' });
    const task = { series: [timeless], horizon: 1, quantiles: [], options: small };
    expect((await model.forecast(task)).warnings).toEqual([
      "series 'a': lag-llama knows no calendar of freq '1', so the time features are 0",
    ]);
  });

  test('options out of range are refused', async () => {
    const refused = forecast([seriesOf([1])], 1, { num_samples: 0 });
    await expect(refused).rejects.toThrow(TollamaError);
    await expect(refused).rejects.toThrow('options.num_samples = 0 is not valid for lag-llama');
  });

  const config = {
    context_length: 32,
    model_kwargs: {
      scaling: 'robust',
      n_layer: 1,
      n_embd_per_head: 12,
      n_head: 2,
      lags_seq: [0, 7],
    },
  };
  const tensors = new Map([
    ['model.transformer.wte.weight', { dtype: 'float32', shape: [24, 10] }],
  ] as const);

  test.each([
    [{ scaling: 'max' }, 'model_kwargs.scaling = "max" is not valid for lag-llama'],
    [{ input_size: 2 }, 'model_kwargs.input_size = 2 is not valid'],
    [{ distr_output: 'normal' }, 'model_kwargs.distr_output = "normal" is not valid'],
    [{ distr_output: { class: 'os.system' } }, 'model_kwargs.distr_output'],
    [{ rope_scaling: { type: 'yarn', factor: 2 } }, 'model_kwargs.rope_scaling.type = "yarn"'],
    [{ rope_scaling: { type: 'linear', factor: 0.5 } }, 'model_kwargs.rope_scaling.factor = 0.5'],
  ])('a config with %j is refused by name', (change, message) => {
    const model_kwargs = { ...config.model_kwargs, ...change };
    expect(() => familyOf({ ...config, model_kwargs }, tensors)).toThrow(message);
  });
});

describe('other heads', async () => {
  const of = (name: string) =>
    openModel(resolve(import.meta.dirname, '../../../../golden/lag-llama', name), { threads: 1 });
  const counts = await of('negative-binomial');
  const implicit = await of('implicit-quantiles');
  afterAll(() => Promise.all([counts, implicit].map((one) => one[Symbol.asyncDispose]())));

  test('neg_bin draws whole numbers around the mean of its distribution', async () => {
    const options = { num_samples: 400 };
    const [paths] = await pathsOf([seriesOf(wave(40))], 2, options, counts);
    expect(paths!.flat().every((value) => Number.isInteger(value) && value >= 0)).toBe(true);
    const single = { ...options, use_single_pass_sampling: true };
    const [along] = await pathsOf([seriesOf(wave(40))], 1, single, counts);
    const mean = (rows: readonly number[][]) =>
      rows.reduce((sum, [first]) => sum + first!, 0) / rows.length;
    expect(Math.abs(mean(along!) / mean(paths!) - 1)).toBeLessThan(0.25);
  });

  test.prop([history, fc.boolean(), horizon], few)(
    'iqn draws the same whatever a series is batched with, and each path its own',
    async (row, use_kv_cache, steps) => {
      const series = seriesOf(row);
      const options = { num_samples: 4, use_kv_cache };
      const [alone] = await pathsOf([series], steps, options, implicit);
      const [, together] = await pathsOf([seriesOf(wave(9)), series], steps, options, implicit);
      expectClose(together, alone);
      // A single point is scaled by next to nothing.
      if (row.length > 9) expect(new Set(alone!.map(([first]) => first)).size).toBe(4);
    },
  );

  test('iqn tells no mean to follow', async () => {
    const asked = pathsOf([seriesOf(wave(40))], 2, { use_single_pass_sampling: true }, implicit);
    await expect(asked).rejects.toThrow('use_single_pass_sampling');
  });

  test('a pickled instance is read as its name is', () => {
    const { tensors } = counts.checkpoint;
    const { model_kwargs } = JSON.parse(JSON.stringify(counts.config)) as { model_kwargs: object };
    const distr_output = {
      class: 'gluonts.torch.distributions.negative_binomial.NegativeBinomialOutput',
    };
    const pickled = {
      ...(counts.config as object),
      model_kwargs: { ...model_kwargs, distr_output },
    };
    expect(familyOf(pickled, tensors).config).toEqual(counts.config);
  });
});

describe('the published form, a file of torch.save without config.json', () => {
  test('forecasts as model.safetensors and config.json do', async () => {
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as {
      model_kwargs: Record<string, unknown>;
    };
    const hyper = picklable(config) as Map<Picklable, Picklable>;
    const pickled = { global: 'gluonts.torch.distributions.studentT StudentTOutput' };
    (hyper.get('model_kwargs') as Map<Picklable, Picklable>).set('distr_output', {
      call: pickled,
      args: { tuple: [] },
    });
    await withFolder(async (published) => {
      await writeFile(join(published, 'lag-llama.ckpt'), await torchCheckpointOf(folder, hyper));
      await using same = await openModel(published, { threads: 1 });
      expect(same.family).toBe('lag-llama');
      const series = [seriesOf(wave(40))];
      expect(await pathsOf(series, 3, {}, same)).toEqual(await pathsOf(series, 3));
    });
  });
});
