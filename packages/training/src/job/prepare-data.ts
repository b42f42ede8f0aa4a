/** From the series of a job to the windows that it trains and validates on. */

import type { JobOptions, JobSeries } from '@tollama/core/training-job';
import type { FamilyTraining } from '@tollama/models/family';
import { planWindows, type TrainingSeries, type WindowPlan } from '../data/windows.ts';

/** Share of a series whose labels validate, when nobody says how many. */
const VALIDATION_SHARE = 0.1;
const MOST_VALIDATION_WINDOWS = 8;

const numbersOf = ({ id, values }: JobSeries[number]): TrainingSeries => ({
  id,
  values: Float32Array.from(values, (value) => value ?? Number.NaN),
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

/** @throws TollamaError INVALID_INPUT when the series are too short */
export const prepareData = (
  data: JobSeries,
  training: FamilyTraining,
  options: JobOptions,
): WindowPlan => {
  const series = data.map(numbersOf);
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
