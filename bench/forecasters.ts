/** Forecasts of one series by name: a statistical model, the folder of a checkpoint, or `join:FOLDER`. */
import { isStatisticalName } from '@tollama/core/statistical';
import { DECILES, joinForecasts } from '../packages/models/src/ensemble/rehearsed-join.ts';
import type { Task } from '../packages/models/src/family.ts';
import { PRIORS } from '../packages/models/src/in-the-box/nano-auto.ts';
import { openModel } from '../packages/models/src/open-model.ts';
import { observe } from '../packages/models/src/statistical/history.ts';
import {
  type CandidateSeasons,
  forecastStatistical,
} from '../packages/models/src/statistical/index.ts';

/** [levels][horizon] for a task of one series. */
export type Forecaster = (task: Task) => Promise<readonly ArrayLike<number>[]>;

/** The checkpoint and `auto` by their rehearsals. */
const joined = async (folder: string, candidates: CandidateSeasons): Promise<Forecaster> => {
  const parts = await Promise.all([
    forecasterOf(folder, candidates),
    forecasterOf('auto', candidates),
  ]);
  return async ({ series: [own], horizon }) => {
    const values = Float64Array.from(observe(own!.targets[0]!).values);
    const members = parts.map((forecast, i) => ({
      name: Object.keys(PRIORS)[i]!,
      prior: Object.values(PRIORS)[i]!,
      forecast: (past: Float64Array, steps: number) =>
        forecast({
          series: [{ ...own!, targets: [past] }],
          horizon: steps,
          quantiles: DECILES,
          options: {},
        }),
    }));
    return (await joinForecasts(values, horizon, members)).deciles;
  };
};

export const forecasterOf = async (
  name: string,
  candidates: CandidateSeasons,
): Promise<Forecaster> => {
  if (isStatisticalName(name)) {
    return async (task) =>
      forecastStatistical(name, task, candidates).forecasts[0]!.targets[0]!.quantiles;
  }
  if (name.startsWith('join:')) return joined(name.slice(5), candidates);
  const model = await openModel(name, { threads: 1 });
  return async (task) => (await model.forecast(task)).forecasts[0]!.targets[0]!.quantiles;
};
