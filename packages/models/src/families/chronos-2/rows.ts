/** Series as Chronos-2 reads them: each an item of rows, first the targets, then the covariates. */
import { TollamaError } from '@tollama/core/errors';
import type { Covariate, ModelSeries } from '../../family.ts';
import { byCodePoint, ordinalWords, targetMeans, type Word, wordCodes } from './words.ts';

/** A target or a covariate: one row of the batch. */
export interface Row {
  /** NaN where missing. */
  readonly context: Float32Array;
  /** Known values from the first step on, NaN where unknown; may be shorter than the horizon. */
  readonly future: Float32Array;
}

/** Rows that are forecast together; the first `targets` of them are asked for. */
export interface Item {
  readonly rows: readonly Row[];
  readonly targets: number;
}

const NOTHING_KNOWN = new Float32Array();

const hasWord = (values: Covariate): boolean =>
  Array.isArray(values) && values.some((value) => typeof value === 'string');

/** Numbers say NaN where they are missing, so a column of nulls is one of missing words. */
const isWords = (values: Covariate): boolean =>
  hasWord(values) ||
  (values.length > 0 &&
    Array.from(values as ArrayLike<Word | number>).every((value) => value === null));

const toWords = (values: Covariate): Word[] =>
  Array.from(values as ArrayLike<Word | number>, (value) =>
    value === null || (typeof value === 'number' && Number.isNaN(value)) ? null : String(value),
  );

const refuse = (series: ModelSeries, message: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', `series '${series.id}': ${message}`, { hint });
};

const checkCovariates = (series: ModelSeries, horizon: number): void => {
  const { targets, pastCovariates = {}, futureCovariates = {} } = series;
  const length = targets[0]?.length ?? 0;
  for (const [name, values] of Object.entries(pastCovariates)) {
    if (values.length !== length) {
      refuse(
        series,
        `past covariate '${name}' has ${values.length} values, the target has ${length}`,
        'give one value for each point of the history',
      );
    }
  }
  for (const [name, values] of Object.entries(futureCovariates)) {
    if (!Object.hasOwn(pastCovariates, name)) {
      refuse(
        series,
        `future covariate '${name}' has no past values`,
        'give its values over the history as well',
      );
    }
    if (values.length !== 0 && values.length !== horizon) {
      refuse(
        series,
        `future covariate '${name}' has ${values.length} values, the horizon is ${horizon}`,
        'give one value for each step of the horizon, or none at all',
      );
    }
  }
};

/** Names of covariates that are words in at least one item, with the codes of their words. */
const wordsOf = (all: readonly ModelSeries[]): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const columns = new Map<string, Covariate[]>();
  for (const { pastCovariates = {} } of all) {
    for (const [name, values] of Object.entries(pastCovariates)) {
      columns.set(name, [...(columns.get(name) ?? []), values]);
    }
  }
  return new Map(
    [...columns]
      .filter(([, values]) => values.some(isWords))
      .map(([name, values]) => [name, wordCodes(values.map(toWords))]),
  );
};

/** Past-only names, then known-future names, each sorted by code point. */
const orderedNames = ({ pastCovariates = {}, futureCovariates = {} }: ModelSeries): string[] => {
  const isKnown = (name: string): boolean => Object.hasOwn(futureCovariates, name);
  const names = Object.keys(pastCovariates).sort(byCodePoint);
  return [...names.filter((name) => !isKnown(name)), ...names.filter(isKnown)];
};

/**
 * The rows of each series. Covariates are encoded over their whole history, before any cut.
 *
 * @throws TollamaError INVALID_REQUEST for a covariate of another length, or without a past
 */
export const itemsOf = (all: readonly ModelSeries[], horizon: number): Item[] => {
  for (const series of all) checkCovariates(series, horizon);
  const words = wordsOf(all);
  return all.map((series): Item => {
    const targets = series.targets.map((target) => Float32Array.from(target));
    const covariates = orderedNames(series).map((name): Row => {
      const past = series.pastCovariates![name]!;
      const future = series.futureCovariates?.[name] ?? [];
      const codes = words.get(name);
      if (codes) {
        const encoded =
          targets.length === 1
            ? targetMeans(toWords(past), toWords(future), targets[0]!)
            : ordinalWords(toWords(past), toWords(future), codes);
        return { context: encoded.past, future: encoded.future };
      }
      if (hasWord(future)) {
        refuse(
          series,
          `covariate '${name}' is numbers in the past and words in the future`,
          'give both as numbers, or both as words',
        );
      }
      return { context: floats(past), future: floats(future) };
    });
    const rows = targets.map((context): Row => ({ context, future: NOTHING_KNOWN }));
    return { rows: [...rows, ...covariates], targets: targets.length };
  });
};

const floats = (values: Covariate): Float32Array =>
  Float32Array.from(values as ArrayLike<number | null>, (value) => value ?? Number.NaN);
