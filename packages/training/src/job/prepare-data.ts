/** From the series of a job to the windows that it trains and validates on. */

import type { JobOptions, JobSeries } from '@tollama/core/training-job';
import type { CovariateNames } from '@tollama/models/covariate-rows';
import type { FamilyTraining } from '@tollama/models/family';
import { covariateRow } from '@tollama/models/nn/window-covariates';
import { planWindows, type TrainingSeries, type WindowPlan } from '../data/windows.ts';

/** Share of a series whose labels validate, when nobody says how many. */
const VALIDATION_SHARE = 0.1;
const MOST_VALIDATION_WINDOWS = 8;

/** The covariates that a model reads; of a training all of their values are known. */
const rowOf = (
  { id, values, past_covariates, static_covariates }: JobSeries[number],
  { covariates: own }: FamilyTraining,
): Pick<TrainingSeries, 'covariates'> => {
  if (!own || Object.values(own.names).every((names) => names.length === 0)) return {};
  const given = {
    id,
    targets: [values.map((value) => value ?? Number.NaN)],
    ...(past_covariates && { pastCovariates: past_covariates }),
    ...(static_covariates && { staticCovariates: static_covariates }),
  };
  const known = { ...own.names, past_covariates: names(own.names), future_covariates: [] };
  const { past, statics } = covariateRow(given, known, 0);
  const { length } = own.names.past_covariates;
  const future = past.slice(length).map((column) => ({ past: column, ahead: [] }));
  return { covariates: { past: past.slice(0, length), future, statics } };
};

const names = (own: CovariateNames): readonly string[] => [
  ...own.past_covariates,
  ...own.future_covariates,
];

const numbersOf = (one: JobSeries[number], training: FamilyTraining): TrainingSeries => ({
  id: one.id,
  values: Float32Array.from(one.values, (value) => value ?? Number.NaN),
  ...rowOf(one, training),
});

const medianOf = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const validationWindows = (
  series: readonly TrainingSeries[],
  horizon: number,
  shortestContext: number,
): number => {
  const length = medianOf(series.map(({ values }) => values.length));
  const share = Math.floor((VALIDATION_SHARE * length) / horizon);
  const room = Math.floor((length - shortestContext) / horizon) - 1;
  return Math.max(0, Math.min(Math.max(1, share), MOST_VALIDATION_WINDOWS, room));
};

/** Points of a context when nobody says: models that read more learn little from it, at many times the cost. */
const USUAL_CONTEXT = 2048;

/** A context of whole patches that the model can read. */
const contextOf = (
  { contextLength, shortestContext }: FamilyTraining,
  asked: number | null | undefined,
): number => {
  const points = asked ?? USUAL_CONTEXT;
  return Math.min(contextLength, Math.ceil(points / shortestContext) * shortestContext);
};

/** What a pass gives; half of what follows the shortest context where series are too short for that. */
const horizonOf = (
  series: readonly TrainingSeries[],
  training: FamilyTraining,
  asked: number | null | undefined,
): number => {
  if (asked) return Math.min(asked, training.horizon);
  const longest = Math.max(...series.map(({ values }) => values.length));
  const room = Math.floor((longest - training.shortestContext) / 2);
  return Math.max(1, Math.min(training.horizon, room));
};

/** @throws TollamaError INVALID_INPUT when the series are too short, INVALID_REQUEST without a covariate that is read */
export const prepareData = (
  data: JobSeries,
  training: FamilyTraining,
  options: JobOptions,
): WindowPlan => {
  const series = data.map((one) => numbersOf(one, training));
  const horizon = horizonOf(series, training, options.horizon);
  const { shortestContext } = training;
  return planWindows(series, {
    context: contextOf(training, options.context),
    horizon,
    shortestContext,
    validationWindows:
      options.validation_windows ?? validationWindows(series, horizon, shortestContext),
  });
};
