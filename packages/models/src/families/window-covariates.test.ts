/** N-BEATSx and TiDE with covariates: forecasts equal to neuralforecast's, and what is asked of a request. */
import { readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type TensorSpec, writeSafetensors } from '@tollama/graph';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { describe, expect, test } from 'vitest';
import type { ModelSeries } from '../family.ts';
import { openModel } from '../open-model.ts';

interface Golden {
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: Readonly<Record<string, { readonly shape: number[]; readonly data: number[] }>>;
  readonly series: {
    readonly target: number[];
    readonly past: Record<string, number[]>;
    readonly future: Record<string, number[]>;
    readonly static: Record<string, number>;
  };
  readonly horizon: number;
  readonly expected: readonly number[];
}

/**
 * From neuralforecast 3.3.0 with random weights over standardised windows; its temporal decoder without normalisation,
 * its exogenous backcast turned round, since its residual runs backwards in time and its basis does not.
 */
const goldenOf = async (name: string): Promise<Golden> =>
  JSON.parse(
    await readFile(resolve(import.meta.dirname, `testing/${name}-covariates.json`), 'utf8'),
  ) as Golden;

const seriesOf = ({ series }: Golden): ModelSeries => ({
  id: 'a',
  targets: [series.target],
  pastCovariates: series.past,
  futureCovariates: series.future,
  staticCovariates: series.static,
});

const forecast = (
  { config, weights }: Golden,
  series: readonly ModelSeries[],
  horizon: number,
): Promise<number[][]> =>
  withFolder(async (folder) => {
    await writeFile(join(folder, 'config.json'), JSON.stringify(config));
    const specs = Object.entries(weights).map(([name, { shape }]): [string, TensorSpec] => [
      name,
      { dtype: 'float32', shape },
    ]);
    await writeSafetensors(join(folder, 'model.safetensors'), new Map(specs), (name) =>
      Float32Array.from(weights[name]!.data),
    );
    await using model = await openModel(folder, { threads: 1 });
    const { forecasts } = await model.forecast({ series, horizon, quantiles: [], options: {} });
    return forecasts.map(({ targets }) => Array.from(targets[0]!.mean));
  });

describe.each(['nbeatsx', 'tide'])('%s', (name) => {
  test('forecasts as neuralforecast does', async () => {
    const golden = await goldenOf(name);
    const [got] = await forecast(golden, [seriesOf(golden)], golden.horizon);
    got!.forEach((value, h) => {
      expect(value).toBeCloseTo(golden.expected[h]!, 4);
    });
  });

  test('past its horizon it reads later future values, and nothing of the past ones', async () => {
    const golden = await goldenOf(name);
    const one = seriesOf(golden);
    const longer = (last: number): ModelSeries => ({
      ...one,
      futureCovariates: { f: [1, 2, 3, 4, 5, last], g: [0, 1, 0, 1, 1, 0] },
    });
    const [near, far] = (await forecast(golden, [longer(6), longer(9)], 6)) as [number[], number[]];
    expect(near.every(Number.isFinite)).toBe(true);
    near.forEach((value, h) => {
      const change = Math.abs(far[h]! - value);
      if (h < 3) expect(change).toBeLessThan(1e-4);
      else expect(change).toBeGreaterThan(1e-3);
    });
  });

  test('a series shorter than the window, with a value missing, is forecast', async () => {
    const golden = await goldenOf(name);
    const { past, future, static: statics } = golden.series;
    const cut = (values: number[]) => values.slice(-4);
    const short: ModelSeries = {
      id: 'b',
      targets: [cut(golden.series.target)],
      pastCovariates: { p: [1, Number.NaN, 2, 3], f: cut(past.f!), g: cut(past.g!) },
      futureCovariates: future,
      staticCovariates: statics,
    };
    const [got, whole] = await forecast(golden, [short, seriesOf(golden)], 3);
    expect(got!.every(Number.isFinite)).toBe(true);
    expect(whole![0]).toBeCloseTo(golden.expected[0]!, 4);
  });
});

test.each([
  [{ pastCovariates: {} }, "past covariate 'p' is missing"],
  [{ futureCovariates: { f: [1, 2, 3] } }, "future covariate 'g' is missing"],
  [{ futureCovariates: { f: [1, 2], g: [1, 2] } }, "future covariate 'f' has 2 values, expected 3"],
  [{ staticCovariates: { s: 1, u: 'north' } }, "static covariate 'u' is no number"],
])('a request without what the model reads is refused: %#', async (more, message) => {
  const golden = await goldenOf('tide');
  await expect(forecast(golden, [{ ...seriesOf(golden), ...more }], 3)).rejects.toThrow(message);
});

test('an exogenous stack without covariates to make a basis of is refused', async () => {
  const golden = await goldenOf('nbeatsx');
  const config = { ...golden.config, future_covariates: [], static_covariates: [] };
  await expect(forecast({ ...golden, config }, [seriesOf(golden)], 3)).rejects.toThrow(
    'exogenous needs future_covariates or static_covariates',
  );
});
