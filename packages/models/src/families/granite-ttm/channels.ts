/** Targets and covariates of a request as the channels that a checkpoint was trained on. */
import { TollamaError } from '@tollama/core/errors';
import type { Covariate, ModelSeries } from '../../family.ts';
import { futureChannels, isMultivariate, predictedChannels, type TtmConfig } from './config.ts';

const numbersOf = (name: string, values: Covariate, id: string): ArrayLike<number> => {
  if (typeof values[0] === 'string') {
    throw new TollamaError('INVALID_INPUT', `covariate '${name}' of series '${id}' holds words`, {
      hint: 'granite-ttm reads numeric covariates only',
    });
  }
  return values as ArrayLike<number>;
};

export interface Channels {
  /** In the checkpoint's order. */
  readonly past: readonly ArrayLike<number>[];
  /** Of the channels whose future the model reads. */
  readonly future: readonly ArrayLike<number>[];
}

const wrongChannels = (series: ModelSeries, c: TtmConfig): TollamaError => {
  const predicted = predictedChannels(c).length;
  const future = futureChannels(c).length;
  const past = c.num_input_channels - predicted - future;
  const got = `${series.targets.length} targets, past covariates [${Object.keys(series.pastCovariates ?? {})}], future covariates [${Object.keys(series.futureCovariates ?? {})}]`;
  return new TollamaError('INVALID_REQUEST', `series '${series.id}' has ${got}`, {
    hint: `this checkpoint was trained on ${predicted} targets, ${past} past and ${future} future covariates; give them in its order`,
  });
};

/** Which covariates stand for which channels: in the order of their names in the request. */
interface Roles {
  readonly predicted: readonly number[];
  readonly exogenous: readonly number[];
  readonly others: readonly number[];
  readonly futureNames: readonly string[];
  readonly pastNames: readonly string[];
}

const rolesOf = (series: ModelSeries, c: TtmConfig): Roles => {
  const { pastCovariates = {}, futureCovariates = {} } = series;
  const predicted = predictedChannels(c);
  const exogenous = futureChannels(c);
  const others = Array.from({ length: c.num_input_channels }, (_, i) => i).filter(
    (i) => !predicted.includes(i) && !exogenous.includes(i),
  );
  const futureNames = exogenous.length > 0 ? Object.keys(futureCovariates) : [];
  const pastNames = Object.keys(pastCovariates).filter((name) => !futureNames.includes(name));
  const isComplete =
    series.targets.length === predicted.length &&
    futureNames.length === exogenous.length &&
    pastNames.length === others.length &&
    futureNames.every((name) => name in pastCovariates);
  if (!isComplete) throw wrongChannels(series, c);
  return { predicted, exogenous, others, futureNames, pastNames };
};

const futureOf = (series: ModelSeries, name: string, horizon: number): ArrayLike<number> => {
  const values = numbersOf(name, series.futureCovariates![name]!, series.id);
  if (values.length >= horizon) return values;
  throw new TollamaError(
    'INVALID_REQUEST',
    `future covariate '${name}' of series '${series.id}' has ${values.length} steps, the horizon is ${horizon}`,
  );
};

/**
 * Targets are the predicted channels in order, future covariates the exogenous ones, the other past
 * covariates what is left.
 *
 * @throws TollamaError INVALID_REQUEST when there are more or fewer than the checkpoint was trained on
 */
export const channelsOf = (series: ModelSeries, c: TtmConfig, horizon: number): Channels => {
  if (!isMultivariate(c)) return { past: series.targets, future: [] };
  const { predicted, exogenous, others, futureNames, pastNames } = rolesOf(series, c);
  const pastOf = (name: string) => numbersOf(name, series.pastCovariates![name]!, series.id);
  const past = Array.from({ length: c.num_input_channels }, (_, i) => {
    const target = predicted.indexOf(i);
    if (target >= 0) return series.targets[target]!;
    const known = exogenous.indexOf(i);
    return pastOf(known >= 0 ? futureNames[known]! : pastNames[others.indexOf(i)]!);
  });
  return { past, future: futureNames.map((name) => futureOf(series, name, horizon)) };
};
