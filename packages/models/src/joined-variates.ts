/** Covariates as further variates of a series, for models that look across variates. */
import type { Covariate, ModelSeries } from './family.ts';

export interface Variate {
  /** Targets are asked for; past covariates end with the history; known ones go on over the horizon. */
  readonly kind: 'target' | 'past' | 'known';
  /** [history], NaN where missing. */
  readonly history: Float32Array;
  /** [horizon] of known covariates, empty for others. */
  readonly future: Float32Array;
}

const numbers = (values: Covariate): Float32Array => Float32Array.from(values as ArrayLike<number>);

/** Targets, then past covariates, then those known ahead. */
export const joinedVariates = (series: ModelSeries): readonly Variate[] => {
  const { targets, pastCovariates = {}, futureCovariates = {} } = series;
  const none = new Float32Array(0);
  const isKnown = (name: string): boolean => Object.hasOwn(futureCovariates, name);
  const unseen = new Float32Array(targets[0]!.length).fill(Number.NaN);
  return [
    ...targets.map((target): Variate => {
      return { kind: 'target', history: numbers(target), future: none };
    }),
    ...Object.entries(pastCovariates)
      .filter(([name]) => !isKnown(name))
      .map(([, past]): Variate => {
        return { kind: 'past', history: numbers(past), future: none };
      }),
    ...Object.entries(futureCovariates).map(([name, future]): Variate => {
      const past = pastCovariates[name];
      return {
        kind: 'known',
        history: past ? numbers(past) : unseen,
        future: numbers(future),
      };
    }),
  ];
};

/** Equal for series whose variates can lie in one batch. */
export const variatesKey = (series: ModelSeries): string => {
  const known = Object.keys(series.futureCovariates ?? {});
  const past = Object.keys(series.pastCovariates ?? {}).filter((name) => !known.includes(name));
  return [series.targets.length, past.length, known.length].join();
};
