/** Several models as one: weights and calibration from past windows, then forecasts that add up. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastTask, SeriesForecast, TaskSeries } from '@tollama/session/backend/backend';
import { applyConformal, errorScale, fitConformal } from '@tollama/session/calibration/conformal';
import { type AverageMethod, averageForecasts } from '@tollama/session/combination/average';
import { stackWeights } from '@tollama/session/combination/stack';
import { type HierarchySpec, openHierarchy } from '@tollama/session/hierarchy/hierarchy';
import { type ReconcileMethod, reconcile } from '@tollama/session/hierarchy/reconcile';
import { naturalSeason } from '../backtest/backtest.ts';
import { type Fold, type Forecaster, rollingForecasts } from '../backtest/cross-validation.ts';

export interface EnsembleOptions extends Pick<ForecastTask, 'options' | 'signal'> {
  readonly horizon: number;
  /** Ascending. */
  readonly quantiles: readonly number[];
  readonly combine: AverageMethod | 'stack';
  readonly calibrates?: boolean;
  /** Past windows that stacking, calibration and minimal trace learn from. */
  readonly windows: number;
  readonly hierarchy?: HierarchySpec;
  readonly reconcileMethod?: ReconcileMethod;
}

export interface EnsembleMember {
  readonly name: string;
  readonly weight: number;
  /** Scaled pinball loss on the past windows, where there were any. */
  readonly loss: number | undefined;
}

export interface EnsembleResult {
  readonly forecasts: readonly SeriesForecast[];
  readonly members: readonly EnsembleMember[];
}

const checkLevels = (levels: readonly number[]): void => {
  const isValid = levels.every(
    (level, i) => level > 0 && level < 1 && (i === 0 || level > levels[i - 1]!),
  );
  if (isValid && levels.length > 0) return;
  throw new TollamaError('INVALID_REQUEST', `quantiles = ${levels.join(', ')}`, {
    hint: 'use ascending levels between 0 and 1, such as 0.1,0.5,0.9',
  });
};

/** Past forecasts of all members, the same folds for each. [members][folds] */
type Past = readonly (readonly Fold[])[];

/** Points-only models have their mean at each level. */
const withLevels = (forecast: SeriesForecast, levels: readonly number[]): SeriesForecast =>
  forecast.quantiles.length === levels.length
    ? forecast
    : { ...forecast, quantiles: levels.map(() => forecast.mean) };

const scaleOf = ({ target, freq }: TaskSeries): number => errorScale(target, naturalSeason(freq));

const membersAt = (past: Past, f: number, levels: readonly number[]): SeriesForecast[] =>
  past.map((folds) => withLevels(folds[f]!.forecast, levels));

const learnWeights = (past: Past, levels: readonly number[]) => {
  const [first = []] = past;
  return stackWeights(
    first.map(({ series, actual }, f) => ({
      actual,
      members: membersAt(past, f, levels),
      scale: scaleOf(series),
    })),
    levels,
  );
};

const forecastMembers = async (
  all: readonly TaskSeries[],
  forecasters: readonly Forecaster[],
  task: Omit<ForecastTask, 'series'>,
): Promise<SeriesForecast[][]> => {
  const byMember: SeriesForecast[][] = [];
  for (const { name, forecast } of forecasters) {
    const byId = new Map((await forecast({ ...task, series: all })).map((one) => [one.id, one]));
    byMember.push(
      all.map(({ id }) => {
        const own = byId.get(id);
        if (own) return withLevels(own, task.quantiles);
        throw new TollamaError('RUNNER_ERROR', `${name} gave series '${id}' no forecast`);
      }),
    );
  }
  return byMember;
};

/** Errors of the combined past forecasts by series, step after step. */
const pastErrors = (
  past: Past,
  combine: CombineMembers,
  levels: readonly number[],
): Record<string, Float64Array> => {
  const errors = new Map<string, number[]>();
  past[0]!.forEach(({ series, actual }, f) => {
    const { mean } = combine(membersAt(past, f, levels));
    const own = Array.from(actual, (value, h) => (Number.isFinite(value) ? value - mean[h]! : 0));
    errors.set(series.id, [...(errors.get(series.id) ?? []), ...own]);
  });
  return Object.fromEntries([...errors].map(([id, row]) => [id, Float64Array.from(row)]));
};

type CombineMembers = (members: readonly SeriesForecast[]) => SeriesForecast;

/** Forecasts of all members over the past windows. */
const forecastPast = async (
  all: readonly TaskSeries[],
  forecasters: readonly Forecaster[],
  { horizon, windows, quantiles, options, signal }: EnsembleOptions,
): Promise<Past> => {
  const past: Fold[][] = [];
  for (const forecaster of forecasters) {
    const rolling = {
      ...{ horizon, windows, quantiles },
      ...(options && { options }),
      ...(signal && { signal }),
    };
    past.push(await rollingForecasts(all, forecaster, rolling));
  }
  return past;
};

/** Quantiles moved by how far those of the past windows were off. */
const calibrated = (
  all: readonly TaskSeries[],
  forecasts: readonly SeriesForecast[],
  past: Past,
  { combine, levels }: { readonly combine: CombineMembers; readonly levels: readonly number[] },
): SeriesForecast[] => {
  const cases = past[0]!.map(({ series, actual }, f) => ({
    actual,
    forecast: combine(membersAt(past, f, levels)),
    scale: scaleOf(series),
  }));
  const conformal = fitConformal(cases, levels);
  return forecasts.map((one, s) => applyConformal(conformal, one, scaleOf(all[s]!)));
};

/** Forecasts of a hierarchy that add up; series outside of it stay as they are, behind it. */
const reconciled = (
  hierarchy: HierarchySpec,
  forecasts: readonly SeriesForecast[],
  how: { readonly method: ReconcileMethod; readonly errors: Record<string, Float64Array> },
): SeriesForecast[] => {
  const tree = openHierarchy(hierarchy);
  const outside = forecasts.filter(({ id }) => !tree.ids.includes(id));
  return [...reconcile(tree, forecasts, how), ...outside];
};

/**
 * Forecasts series by a combination of models.
 *
 * @throws TollamaError INVALID_INPUT for a series that is too short for the past windows
 * @example
 * await forecastEnsemble(series, forecasters, { horizon: 24, quantiles: [0.1, 0.5, 0.9], combine: 'stack', windows: 3 });
 */
export const forecastEnsemble = async (
  all: readonly TaskSeries[],
  forecasters: readonly Forecaster[],
  options: EnsembleOptions,
): Promise<EnsembleResult> => {
  const { horizon, quantiles: levels, combine: how, calibrates = false } = options;
  const { hierarchy, reconcileMethod: method = 'mint_shrink', signal } = options;
  checkLevels(levels);
  const needsErrors = hierarchy !== undefined && method === 'mint_shrink';
  const learns = how === 'stack' || calibrates || needsErrors;
  const past = learns ? await forecastPast(all, forecasters, options) : [];
  const stacked = past.length > 0 ? learnWeights(past, levels) : undefined;
  const weights = how === 'stack' ? stacked!.weights : how;
  const combine: CombineMembers = (members) => averageForecasts(members, weights);

  const task = { horizon, quantiles: levels, options: options.options, signal };
  const byMember = await forecastMembers(all, forecasters, task);
  let forecasts = all.map((_, s) => combine(byMember.map((member) => member[s]!)));
  if (calibrates) forecasts = calibrated(all, forecasts, past, { combine, levels });
  if (hierarchy) {
    const errors = needsErrors ? pastErrors(past, combine, levels) : {};
    forecasts = reconciled(hierarchy, forecasts, { method, errors });
  }
  return {
    forecasts,
    members: forecasters.map(({ name }, m) => ({
      name,
      weight: typeof weights === 'string' ? 1 / forecasters.length : weights[m]!,
      loss: stacked?.memberLosses[m],
    })),
  };
};
