/** Series of a request out of a table, by the options that the request gives. */
import { TollamaError } from '@tollama/core/errors';
import { inferFrequency } from '@tollama/core/frequency';
import type { IngestOptions, RepairReport } from '@tollama/core/ingest-options';
import { LIMITS } from '@tollama/core/limits';
import { readSeries } from '@tollama/ingest/read-series';
import { repairGaps } from '@tollama/ingest/repair-gaps';
import type { CovariateColumn, InputSeries } from '@tollama/ingest/series-objects';

export interface TableSource {
  /** A path, or the name of the content. */
  readonly path: string;
  readonly content?: AsyncIterable<Uint8Array> | undefined;
}

export interface ReadTable {
  /** Series as a forecast request has them, not checked yet. */
  readonly series: readonly Readonly<Record<string, unknown>>[];
  /** Reports of repairs; null when none were asked for. */
  readonly repairs: readonly RepairReport[] | null;
}

/** The readers speak of the command line's options; here they have the names of the fields. */
const FIELD_NAMES: Readonly<Record<string, string>> = {
  '--id-col': 'series_id_column',
  '--time-col': 'timestamp_column',
  '--target-col': 'target_column',
};

const inFieldNames = (text: string): string =>
  text.replace(/--(?:id|time|target)-col/g, (option) => FIELD_NAMES[option] ?? option);

const withFieldNames = (error: unknown): unknown => {
  if (!(error instanceof TollamaError)) return error;
  const { code, message, hint, data } = error;
  return new TollamaError(code, inFieldNames(message), {
    ...(hint !== undefined && { hint: inFieldNames(hint) }),
    data,
    cause: error,
  });
};

const columnOf = ({ id, covariates }: InputSeries, name: string): CovariateColumn => {
  const column = covariates[name];
  if (column) return column;
  throw new TollamaError('INVALID_INPUT', `series '${id}' has no column '${name}'`, {
    hint: `columns beside the target: ${Object.keys(covariates).join(', ') || 'none'}`,
  });
};

const isGiven = (value: CovariateColumn[number]): boolean => value !== null && !Number.isNaN(value);

const withFrequency = (one: InputSeries, { freq, freq_column }: IngestOptions): InputSeries => {
  if (freq) return { ...one, freq };
  if (freq_column) {
    const [alias] = columnOf(one, freq_column);
    if (typeof alias === 'string') return { ...one, freq: alias };
  }
  if (one.freq !== 'auto') return one;
  try {
    return { ...one, freq: inferFrequency(one.timestamps).alias };
  } catch {
    // The forecast says what is wrong, with the series' name.
    return one;
  }
};

const covariatesOf = (one: InputSeries, names: readonly string[]) =>
  Object.fromEntries(
    names.map((name) => {
      const column = columnOf(one, name);
      if (column.some((value) => !isGiven(value))) {
        throw new TollamaError(
          'INVALID_INPUT',
          `covariate '${name}' of series '${one.id}' has missing values`,
          { hint: 'fill them, or leave the column out of covariate_columns' },
        );
      }
      return [name, column];
    }),
  );

const isFilled = (record: Readonly<Record<string, unknown>>): boolean =>
  Object.keys(record).length > 0;

/** `covariates`: names of the columns that go along. */
const toRequestSeries = (
  one: InputSeries,
  covariates: readonly string[],
): Readonly<Record<string, unknown>> => {
  const missing = one.target.flatMap((value, i) => (Number.isNaN(value) ? [i] : []));
  const past = covariatesOf(one, covariates);
  return {
    id: one.id,
    freq: one.freq,
    timestamps: one.timestamps,
    target: one.target.map((value) => (Number.isNaN(value) ? 0 : value)),
    ...(missing.length > 0 && { missing_indices: missing }),
    ...(isFilled(past) && { past_covariates: past }),
    ...(isFilled(one.futureCovariates) && { future_covariates: one.futureCovariates }),
    ...(isFilled(one.staticCovariates) && { static_covariates: one.staticCovariates }),
    ...(one.actuals && { actuals: one.actuals }),
  };
};

const columnsOf = (options: IngestOptions) => ({
  format: options.format ?? undefined,
  timeColumn: options.timestamp_column ?? undefined,
  idColumn: options.series_id_column ?? undefined,
  targetColumns: options.target_column ? [options.target_column] : undefined,
});

/**
 * Reads all series of a table or of a JSON document, with gaps repaired where the options ask for it.
 *
 * @throws TollamaError INVALID_INPUT that names the file and the place in it
 */
export const readTable = async (
  source: TableSource,
  options: IngestOptions,
): Promise<ReadTable> => {
  const read = await readSeries({
    ...source,
    ...columnsOf(options),
    maxBytes: LIMITS.tableBytes,
  }).catch((error: unknown) => {
    throw withFieldNames(error);
  });
  const known = read.series.map((one) => withFrequency(one, options));
  const repair = options.preprocessing?.missing;
  const repaired = repair?.enabled ? known.map((one) => repairGaps(one, repair)) : undefined;
  const series = repaired?.map((one) => one.series) ?? known;
  return {
    series: series.map((one) => {
      // A document that is a whole request says itself which covariates there are.
      const own = read.request === undefined ? [] : Object.keys(one.covariates);
      return toRequestSeries(one, options.covariate_columns ?? own);
    }),
    repairs: repaired?.map(({ report }) => report) ?? null,
  };
};

/** Sentences on what was repaired, for the warnings of an answer. */
export const repairWarnings = (reports: readonly RepairReport[]): string[] =>
  reports.flatMap(({ id, imputed_point_count, used_method, warnings }) => [
    ...(imputed_point_count > 0
      ? [`series '${id}': ${imputed_point_count} missing values were filled in by ${used_method}`]
      : []),
    ...(warnings ?? []).map((warning) => `series '${id}': ${warning}`),
  ]);
