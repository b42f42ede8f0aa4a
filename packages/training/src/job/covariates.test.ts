/** Small models with covariates: what only a covariate tells is learned, and read from it in a forecast. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JOB_SCHEMA, JobConfig } from '@tollama/core/training-job';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { openModel } from '@tollama/models';
import { expect, test } from 'vitest';
import { RandomStream } from '../data/random-stream.ts';
import { runJob } from './run-job.ts';

const LENGTH = 400;
const HORIZON = 4;
const SIZES = { input_size: 16, horizon: HORIZON, quantiles: [0.1, 0.5, 0.9] };

const random = RandomStream.of(5);
/** Jumps that the past does not tell. */
const promo = Array.from({ length: LENGTH + HORIZON }, () => Number(random.uniform() < 0.3));
const weather = promo.map((_, t) => Math.sin(t / 3));
const values = promo.slice(0, LENGTH).map((on, t) => 10 + 5 * on + 0.2 * Math.sin(t / 5));

const NAMES = {
  past_covariates: ['weather'],
  future_covariates: ['promo'],
  static_covariates: ['size'],
};
const ARCHITECTURES = {
  tide: { model_type: 'tide', ...SIZES, ...NAMES, hidden_size: 32, decoder_output_dim: 4 },
  nbeatsx: {
    model_type: 'nbeatsx',
    ...SIZES,
    ...NAMES,
    stack_types: ['identity', 'exogenous'],
    mlp_units: [32, 32],
  },
} as const;

const DATA = {
  id: 'a',
  freq: null,
  values,
  past_covariates: {
    promo: promo.slice(0, LENGTH),
    weather: weather.slice(0, LENGTH),
    idle: values,
  },
  static_covariates: { size: 1.5 },
};

const writeJob = async (
  folder: string,
  architecture: object,
  data: object,
  options: object = {},
): Promise<void> => {
  const trained = {
    adapter: 'full',
    steps: 200,
    epochs: 2,
    threads: 1,
    horizon: HORIZON,
    context: 16,
  };
  const job = { schema: JOB_SCHEMA, id: 'job', name: 'x', base: null, architecture };
  await mkdir(folder, { recursive: true });
  const config = JobConfig.parse({
    ...job,
    options: { ...trained, learning_rate: 0.005, ...options },
  });
  await writeFile(join(folder, 'job.json'), JSON.stringify(config));
  await writeFile(join(folder, 'series.json'), JSON.stringify([data]));
};

test.each(Object.keys(ARCHITECTURES))('%s learns what a future covariate tells', async (name) => {
  await withFolder(async (folder) => {
    await writeJob(folder, ARCHITECTURES[name as keyof typeof ARCHITECTURES], DATA);
    const result = await runJob(folder);
    expect(result.after!.loss).toBeLessThan(0.4 * result.before!.loss!);
    await using model = await openModel(result.output!.folder, { threads: 1 });
    expect(model.capabilities.covariates).toMatchObject({
      past_covariates_numeric: true,
      future_covariates_numeric: true,
      static_covariates: true,
    });
    const forecast = async (ahead: number[]) => {
      const { promo: known, weather: seen } = DATA.past_covariates;
      const series = {
        id: 'a',
        targets: [values],
        pastCovariates: { promo: known, weather: seen },
        futureCovariates: { promo: ahead },
        staticCovariates: DATA.static_covariates,
      };
      const task = { series: [series], horizon: HORIZON, quantiles: [], options: {} };
      return Array.from((await model.forecast(task)).forecasts[0]!.targets[0]!.mean);
    };
    const [on, off] = [await forecast([1, 0, 1, 0]), await forecast([0, 1, 0, 1])];
    // Five higher where it is on: more than half of that is read from it.
    [1, -1, 1, -1].forEach((sign, h) => {
      expect(sign * (on[h]! - off[h]!)).toBeGreaterThan(2.5);
    });
  });
});

test('data without a covariate that the architecture names is refused by its name', async () => {
  await withFolder(async (folder) => {
    const { promo: _, ...rest } = DATA.past_covariates;
    await writeJob(folder, ARCHITECTURES.tide, { ...DATA, past_covariates: rest });
    await expect(runJob(folder)).rejects.toThrow("series 'a': past covariate 'promo' is missing");
  });
});
