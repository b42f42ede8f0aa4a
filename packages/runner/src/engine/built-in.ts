/** Models without weights: the mock of the protocol's tests, and the classical ones. */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import { parseFrequency, seasonLengths } from '@tollama/core/frequency';
import { isStatisticalName } from '@tollama/core/statistical';
import type { Outcome, Task } from '@tollama/models/family';
import type { ReadyModel } from './loaded-models.ts';

const CAPABILITIES = {
  covariates: NO_COVARIATES,
  contextLength: null,
  nativeHorizon: null,
  maxHorizon: null,
  quantiles: [],
  multivariate: false,
  samples: false,
} as const;

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
  capabilities: { ...CAPABILITIES, quantiles: [] },
  device: 'cpu',
  precision: 'float64',
  sizeBytes: 0,
  loadMs: 0,
  forecast,
  [Symbol.asyncDispose]: async () => {},
});

const candidateSeasons = (freq?: string): readonly number[] =>
  freq === undefined || freq === 'auto' ? [] : seasonLengths(parseFrequency(freq));

/** The model of that name that needs no files, or undefined. */
export const builtInModel = async (name: string): Promise<ReadyModel | undefined> => {
  if (name === 'mock') return ready('mock', mock);
  if (!isStatisticalName(name)) return undefined;
  const { forecastStatistical } = await import('@tollama/models/statistical');
  return ready('statistical', async (task) => forecastStatistical(name, task, candidateSeasons));
};
