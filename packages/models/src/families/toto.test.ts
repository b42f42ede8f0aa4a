import { resolve } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { ModelSeries } from '../family.ts';
import { familyOf } from '../family-of.ts';
import { openModel } from '../open-model.ts';

const folder = resolve(import.meta.dirname, '../../../../golden/toto/tiny');
const PATCH = 8;
const model = await openModel(folder, { threads: 1 });
afterAll(() => model[Symbol.asyncDispose]());

type Options = Readonly<Record<string, unknown>>;

interface Request {
  readonly series: readonly ModelSeries[];
  readonly horizon: number;
  readonly quantiles?: readonly number[];
  readonly options?: Options;
}

const forecast = async ({ series, horizon, quantiles = [], options = {} }: Request) =>
  (await model.forecast({ series, horizon, quantiles, options })).forecasts;

/** Means [series][variate][horizon]. */
const means = async (request: Request): Promise<number[][][]> =>
  (await forecast(request)).map(({ targets }) => targets.map(({ mean }) => Array.from(mean)));

const univariate = (values: ArrayLike<number>): ModelSeries => ({ id: 'a', targets: [values] });

/** Differences as a share of the largest number that is compared. */
const expectClose = (got: unknown, want: unknown, tolerance = 2e-4): void => {
  const flat = (nested: unknown): number[] => (nested as number[]).flat(4);
  const size = Math.max(1e-3, ...flat(want).map(Math.abs));
  expect(flat(got).length).toBe(flat(want).length);
  flat(got).forEach((value, i) => {
    expect(Math.abs(value - flat(want)[i]!)).toBeLessThan(tolerance * size);
  });
};

const wave = (length: number, step: number, size: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => size * Math.sin(step * i) + 0.3 * Math.cos(7 * i));

const history = fc
  .tuple(
    fc.integer({ min: 3, max: 50 }),
    fc.double({ min: 0.2, max: 2, noNaN: true }),
    fc.double({ min: 0.5, max: 3, noNaN: true }),
  )
  .map(([length, step, size]) => wave(length, step, size));
const horizon = fc.integer({ min: 1, max: 30 });
const caches = fc.boolean().map((use_kv_cache) => ({ use_kv_cache }));
const few = { numRuns: 15 };

describe('toto', () => {
  test('refuses what float32 cannot hold', async () => {
    const series = [univariate([1, 1e39, 2])];
    await expect(forecast({ series, horizon: 2 })).rejects.toThrow(
      "series 'a' has a value that is too large for toto: beyond 3.4e38 in size",
    );
  });

  test('a batch of unequal lengths equals its series one by one, samples too', async () => {
    const rows = fc.array(history, { minLength: 2, maxLength: 4 });
    const samples = fc.constantFrom(undefined, 3);
    await fc.assert(
      fc.asyncProperty(rows, horizon, caches, samples, async (batch, steps, cache, num_samples) => {
        const request = { horizon: steps, options: { ...cache, num_samples } };
        const together = await means({ ...request, series: batch.map(univariate) });
        for (const [i, row] of batch.entries()) {
          const [alone] = await means({ ...request, series: [univariate(row)] });
          expectClose(together[i], alone, 1e-3);
        }
      }),
      few,
    );
  });

  test('chains that run together equal those that run one by one', async () => {
    await fc.assert(
      fc.asyncProperty(history, caches, async (row, cache) => {
        const paths = async (samples_per_batch: number) => {
          const options = { ...cache, num_samples: 5, samples_per_batch };
          const [found] = await forecast({ series: [univariate(row)], horizon: 26, options });
          return found!.targets[0]!.samples!.map((path) => Array.from(path));
        };
        expectClose(await paths(5), await paths(1), 1e-3);
      }),
      few,
    );
  });

  test('a longer horizon continues a shorter one', async () => {
    await fc.assert(
      fc.asyncProperty(history, horizon, horizon, caches, async (row, a, b, options) => {
        const series = [univariate(row)];
        const short = await means({ series, horizon: Math.min(a, b), options });
        const long = await means({ series, horizon: Math.max(a, b), options });
        expectClose(
          long.map((rows) => rows.map((mean) => mean.slice(0, Math.min(a, b)))),
          short,
        );
      }),
      few,
    );
  });

  test('shifting whole patches shifts their forecast', async () => {
    const level = fc.double({ min: -10, max: 10, noNaN: true });
    await fc.assert(
      fc.asyncProperty(level, horizon, caches, async (b, steps, options) => {
        const row = wave(5 * PATCH, 0.4, 2);
        const shifted = row.map((value) => value + b);
        const [[plain]] = (await means({ series: [univariate(row)], horizon: steps, options })) as [
          [number[]],
        ];
        const moved = await means({ series: [univariate(shifted)], horizon: steps, options });
        expectClose(moved, [[plain.map((value) => value + b)]], 1e-3);
      }),
      few,
    );
  });

  test('quantiles ascend, lie among the samples, and belong to a seed', async () => {
    const quantiles = [0.05, 0.5, 0.9];
    const request = { series: [univariate(wave(30, 0.4, 2))], horizon: 12, quantiles };
    const draw = async (options: Options) =>
      (await forecast({ ...request, options }))[0]!.targets[0]!;
    const first = await draw({});
    expect(first.samples!.length).toBe(256);
    for (let h = 0; h < 12; h++) {
      const fan = first.quantiles.map((row) => row[h]!);
      const drawn = first.samples!.map((path) => path[h]!);
      expect(fan).toEqual([...fan].sort((a, b) => a - b));
      expect(fan[0]).toBeGreaterThanOrEqual(Math.min(...drawn));
      expect(fan[2]).toBeLessThanOrEqual(Math.max(...drawn));
      expect(first.mean[h]).toBeCloseTo(drawn.reduce((a, b) => a + b, 0) / 256, 4);
    }
    expect(await draw({ seed: 0 })).toEqual(first);
    expect(await draw({ seed: 1 })).not.toEqual(first);
  });

  test('variates of one group look at each other in any order, others do not', async () => {
    const [a, b] = [wave(32, 0.5, 2), wave(32, 0.9, 1)];
    const pair = (id_mask: number[]) =>
      means({ series: [{ id: 'a', targets: [a, b] }], horizon: 10, options: { id_mask } });
    const [together] = await pair([0, 0]);
    const [apart] = await pair([0, 1]);
    const [swapped] = await means({ series: [{ id: 'a', targets: [b, a] }], horizon: 10 });
    expectClose(swapped, together!.toReversed());
    expectClose(apart![0], (await means({ series: [univariate(a)], horizon: 10 }))[0]![0]);
    expect(apart).not.toEqual(together);
  });

  test('what is known of covariates steers later patches, and is not forecast', async () => {
    const series = (stock: ArrayLike<number>): ModelSeries[] => [
      {
        ...univariate(wave(32, 0.5, 2)),
        pastCovariates: { stock: wave(32, 0.3, 1), load: wave(32, 0.2, 1) },
        futureCovariates: { stock },
      },
    ];
    const [low] = await means({ series: series(new Float64Array(20)), horizon: 20 });
    const [high] = await means({ series: series(new Float64Array(20).fill(5)), horizon: 20 });
    expect(low!.length).toBe(1);
    expect(low![0]!.slice(0, PATCH)).toEqual(high![0]!.slice(0, PATCH));
    expect(low![0]!.slice(PATCH)).not.toEqual(high![0]!.slice(PATCH));
  });

  test('missing values are read as zeros, with a warning, unless they are filled', async () => {
    const row = wave(32, 0.5, 2).map((value) => value + 50);
    row[20] = Number.NaN;
    const request = { series: [univariate(row)], horizon: 5, quantiles: [] };
    const { warnings } = await model.forecast({ ...request, options: {} });
    expect(warnings).toEqual([
      "series 'a': 1 missing values are read as 0, as toto's reference does; imputation: 'ffill' or 'linear' fills them",
    ]);
    const filled = await model.forecast({ ...request, options: { imputation: 'linear' } });
    expect(filled.warnings).toEqual([]);
    expect(filled.forecasts).not.toEqual(
      (await model.forecast({ ...request, options: {} })).forecasts,
    );
  });

  test('a series without any value has a finite forecast', async () => {
    for (const row of [[], [Number.NaN, Number.NaN]]) {
      const [[mean]] = (await means({ series: [univariate(row)], horizon: 5 })) as [[number[]]];
      expect(mean.every(Number.isFinite)).toBe(true);
    }
  });

  test('context_length bounds what is read', async () => {
    const row = wave(64, 0.4, 2);
    const options = { context_length: 24 };
    const bounded = await means({ series: [univariate(row)], horizon: 9, options });
    expect(bounded).toEqual(await means({ series: [univariate(row.slice(-24))], horizon: 9 }));
  });

  test.each([
    { options: { num_samples: 0 }, message: 'options.num_samples = 0 is not valid for toto' },
    {
      options: { id_mask: [0, 1] },
      message:
        "options.id_mask = [0,1] does not name a group for each of the 1 variates of series 'a'",
    },
  ])('refuses: $message', async ({ options, message }) => {
    const refused = forecast({ series: [univariate([1, 2, 3])], horizon: 4, options });
    await expect(refused).rejects.toThrow(TollamaError);
    await expect(refused).rejects.toThrow(message);
  });

  const config = {
    patch_size: 64,
    stride: 64,
    embed_dim: 768,
    num_layers: 12,
    num_heads: 12,
    mlp_hidden_dim: 3072,
    spacewise_every_n_layers: 12,
    scaler_cls: "<class 'model.scaler.CausalPatchStdMeanScaler'>",
    output_distribution_classes: ["<class 'model.distribution.MixtureOfStudentTsOutput'>"],
    output_distribution_kwargs: { k_components: 24 },
  };
  const tensors = new Map([
    ['model.patch_embed.projection.weight', { dtype: 'float32', shape: [768, 64] }],
  ] as const);

  test.each([
    { change: { scaler_cls: "<class 'model.scaler.MinMaxScaler'>" }, message: 'scaler_cls = "' },
    {
      change: { output_distribution_classes: ["<class 'model.distribution.NormalOutput'>"] },
      message: 'output_distribution_classes.0 = "',
    },
    { change: { output_distribution_kwargs: {} }, message: 'output_distribution_kwargs' },
    { change: { stride: 32 }, message: 'stride = 32 is not valid for toto' },
    { change: { spacewise_every_n_layers: 5 }, message: 'it must be a multiple of' },
    { change: { num_heads: 7 }, message: 'num_heads = 7 is not valid for toto' },
  ])('a config is refused: $message', ({ change, message }) => {
    expect(() => familyOf({ ...config, ...change }, tensors)).toThrow(message);
  });
});
