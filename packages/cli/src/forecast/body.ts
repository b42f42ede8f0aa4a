/** From series as they were read to bodies of forecast requests. */
import type { ForecastBody } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import { inferFrequency, parseFrequency, seasonLengths } from '@tollama/core/frequency';
import type { InputSeries } from '@tollama/ingest/series-objects';

type BodySeries = ForecastBody['series'][number];

export interface BodyOptions {
  readonly freq?: string | undefined;
  /** Columns beside the target that are passed on as past covariates. */
  readonly covariates?: readonly string[] | undefined;
}

/** Points of one request; more series go in several, so that no body grows past the daemon's limit. */
const POINTS_PER_REQUEST = 200_000;

const missingPlaces = (values: readonly number[]): number[] => {
  const places: number[] = [];
  values.forEach((value, i) => {
    if (Number.isNaN(value)) places.push(i);
  });
  return places;
};

const pastCovariates = ({ id, covariates }: InputSeries, names: readonly string[] | undefined) => {
  const chosen = names ?? [];
  const entries = chosen.map((name) => {
    const values = covariates[name];
    if (!values) {
      const known = Object.keys(covariates).join(', ') || 'none';
      throw new TollamaError('INVALID_INPUT', `series '${id}' has no column '${name}'`, {
        hint: `columns beside the target: ${known}`,
      });
    }
    if (values.some((value) => value === null || Number.isNaN(value))) {
      throw new TollamaError(
        'INVALID_INPUT',
        `covariate '${name}' of series '${id}' has missing values`,
        {
          hint: 'fill them, or leave the covariate out',
        },
      );
    }
    return [name, values as number[] | string[]] as const;
  });
  return Object.fromEntries(entries);
};

const toBodySeries = (one: InputSeries, { freq, covariates }: BodyOptions): BodySeries => {
  const missing = missingPlaces(one.target);
  const past = { ...pastCovariates(one, covariates) };
  return {
    id: one.id,
    freq: freq ?? one.freq,
    timestamps: [...one.timestamps],
    target: one.target.map((value) => (Number.isNaN(value) ? 0 : value)),
    ...(missing.length > 0 && { missing_indices: missing }),
    ...(Object.keys(past).length > 0 && { past_covariates: past }),
  };
};

/** The request that a JSON input was, with its own series as they were read. */
export const requestSeries = (one: InputSeries): BodySeries => {
  const { covariates, futureCovariates, staticCovariates, actuals } = one;
  const isGiven = (record: Readonly<Record<string, unknown>>): boolean =>
    Object.keys(record).length > 0;
  return {
    ...toBodySeries(one, {}),
    ...(isGiven(covariates) && { past_covariates: covariates as Record<string, number[]> }),
    ...(isGiven(futureCovariates) && {
      future_covariates: futureCovariates as Record<string, number[]>,
    }),
    ...(isGiven(staticCovariates) && { static_covariates: { ...staticCovariates } }),
    ...(actuals && { actuals: [...actuals] }),
  };
};

const lastOf = (one: InputSeries, points: number): InputSeries => ({
  ...one,
  timestamps: one.timestamps.slice(-points),
  target: one.target.slice(-points),
  covariates: Object.fromEntries(
    Object.entries(one.covariates).map(([name, values]) => [name, values.slice(-points)]),
  ),
});

/** The series, those that fill more than a request with their latest points alone, and a note about each of these. */
export const latestPoints = (
  all: readonly InputSeries[],
  { covariates = [] }: BodyOptions,
): { readonly series: readonly InputSeries[]; readonly notes: readonly string[] } => {
  const most = Math.floor(POINTS_PER_REQUEST / (1 + covariates.length));
  const isTooLong = ({ target }: InputSeries): boolean => target.length > most;
  const notes = all
    .filter(isTooLong)
    .map(
      ({ id, target }) => `series '${id}': the last ${most} of ${target.length} points are used`,
    );
  return { series: all.map((one) => (isTooLong(one) ? lastOf(one, most) : one)), notes };
};

/** Series of the requests that together ask for all of them, in order. */
export const seriesInChunks = (
  all: readonly InputSeries[],
  options: BodyOptions,
): BodySeries[][] => {
  const chunks: BodySeries[][] = [];
  let points = Number.POSITIVE_INFINITY;
  for (const one of all) {
    if (points + one.target.length > POINTS_PER_REQUEST) {
      chunks.push([]);
      points = 0;
    }
    chunks.at(-1)!.push(toBodySeries(one, options));
    points += one.target.length;
  }
  return chunks;
};

const SEASONS = 2;
const WITHOUT_SEASON = 12;

/** Two seasons of what the timestamps suggest, when the user names no horizon. */
export const defaultHorizon = (
  { timestamps, target }: InputSeries,
  freq: string | undefined,
): number => {
  try {
    const frequency =
      freq && freq !== 'auto' ? parseFrequency(freq) : inferFrequency(timestamps).frequency;
    const [season] = seasonLengths(frequency);
    const wanted = season === undefined ? WITHOUT_SEASON : SEASONS * season;
    return Math.max(1, Math.min(wanted, Math.floor(target.length / 2)));
  } catch {
    return WITHOUT_SEASON;
  }
};
