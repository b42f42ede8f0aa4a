/** Models that need no pull: the mock of the protocol's tests, the classical ones, and those in the box. */
import { type Capabilities, NO_COVARIATES } from '@tollama/core/capabilities';
import { candidateSeasons } from '@tollama/core/frequency';
import type { ModelReference } from '@tollama/core/runner-protocol';
import { isNanoName, isStatisticalName } from '@tollama/core/statistical';
import type { Outcome, Task } from '@tollama/models/family';
import type { ReadyModel } from './ready-model.ts';

const CAPABILITIES: Capabilities = {
  covariates: NO_COVARIATES,
  contextLength: null,
  nativeHorizon: null,
  maxHorizon: null,
  quantiles: [],
  multivariate: false,
  samples: false,
};

/** Mean and every quantile are the last value, repeated (daemon contract, section 6). */
const mock = async ({ series, horizon, quantiles }: Task): Promise<Outcome> => ({
  forecasts: series.map(({ targets }) => {
    const level = new Float64Array(horizon).fill(targets[0]![targets[0]!.length - 1]!);
    return { targets: [{ mean: level, quantiles: quantiles.map(() => level) }] };
  }),
  warnings: [],
});

const ready = (family: string, forecast: (task: Task) => Promise<Outcome>): ReadyModel => ({
  family,
  capabilities: CAPABILITIES,
  device: 'cpu',
  precision: 'float64',
  sizeBytes: 0,
  loadMs: 0,
  forecast,
  [Symbol.asyncDispose]: async () => {},
});

/** The model of that name that needs no pull, or undefined; every model of the mock's family is one. */
export const builtInModel = async (
  { model: name, model_family: family }: ModelReference,
  threads: number,
): Promise<ReadyModel | undefined> => {
  if ((family ?? name) === 'mock') return ready('mock', mock);
  if (isNanoName(name)) {
    const { openBoxed } = await import('@tollama/models/in-the-box');
    const model = openBoxed(name, { threads, candidates: candidateSeasons });
    return {
      ...ready('statistical', (task) => model.forecast(task)),
      precision: 'float32',
      [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    };
  }
  if (!isStatisticalName(name)) return undefined;
  const { forecastStatistical } = await import('@tollama/models/statistical');
  return ready('statistical', async (task) => forecastStatistical(name, task, candidateSeasons));
};
