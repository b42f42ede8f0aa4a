/** Series written out as a forecast request has them: `{id, timestamps, target, ...}`. */

import { createNumberReader } from './number-cell.ts';
import { type Cell, quoteValue, refuseInput } from './table.ts';

/** Values of a covariate: numbers (NaN where missing), or words (null where missing). */
export type CovariateColumn = readonly number[] | readonly (string | null)[];
export type CovariateColumns = Readonly<Record<string, CovariateColumn>>;

/** A series as it was read: ascending in time, without duplicates. */
export interface InputSeries {
  readonly id: string;
  /** `auto`, unless the input says more. */
  readonly freq: string;
  readonly timestamps: readonly string[];
  /** NaN where a value is missing. */
  readonly target: readonly number[];
  /** Columns beside the target, over the history. */
  readonly covariates: CovariateColumns;
  /** Over the horizon; only a forecast request has them. */
  readonly futureCovariates: CovariateColumns;
  readonly staticCovariates: Readonly<Record<string, unknown>>;
  /** The values to come, for metrics; only a forecast request has them. */
  readonly actuals: readonly number[] | undefined;
}

/** A series whose order and timestamps have yet to be checked. */
export type ReadySeries = InputSeries;

type JsonObject = Readonly<Record<string, unknown>>;

const KNOWN_FIELDS = new Set([
  ...['id', 'freq', 'timestamps', 'target', 'actuals'],
  ...['past_covariates', 'future_covariates', 'static_covariates'],
]);

/** Where a value stands, for messages: `series[2] (store 7)`. */
interface Place {
  readonly file: string;
  readonly series: string;
}

const refuse = ({ file, series }: Place, message: string, hint: string): never =>
  refuseInput(file, `${series}: ${message}`, { hint });

const readArray = (place: Place, value: unknown, field: string): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  const problem = `${field} is ${quoteValue(value)}, not an array`;
  return refuse(place, problem, `give ${field} as [...]`);
};

const readNumbers = (place: Place, value: unknown, field: string): number[] => {
  const reader = createNumberReader(false);
  return readArray(place, value, field).map((item, i) => {
    const isCell = typeof item === 'number' || typeof item === 'string' || item === null;
    const cell: Cell = isCell ? item : String(item);
    const read = reader.read(cell);
    if (typeof read === 'number') return read;
    const problem = `${field}[${i}] ${quoteValue(item)} ${read.because}`;
    return refuse(place, problem, 'write null for a missing value');
  });
};

const readTimestamps = (place: Place, value: unknown, length: number): string[] => {
  if (value === undefined) return Array.from({ length }, (_, i) => String(i + 1));
  const stamps = readArray(place, value, 'timestamps').map((item, i) => {
    const isText = typeof item === 'string' && item.trim() !== '';
    if (isText || typeof item === 'number') return String(item);
    return refuse(place, `timestamps[${i}] is ${quoteValue(item)}`, 'give dates as texts');
  });
  if (stamps.length === length) return stamps;
  const lengths = `timestamps has ${stamps.length} values, target has ${length}`;
  return refuse(place, lengths, 'give one timestamp for each value');
};

const readObject = (place: Place, value: unknown, field: string): JsonObject => {
  if (value === undefined || value === null) return {};
  if (typeof value === 'object' && !Array.isArray(value)) return { ...value };
  const problem = `${field} is ${quoteValue(value)}, not an object`;
  return refuse(place, problem, `give ${field} as {...}`);
};

const readCovariates = (place: Place, value: unknown, field: string): CovariateColumns => {
  const columns = Object.entries(readObject(place, value, field)).map(
    ([name, column]): [string, CovariateColumn] => {
      const items = readArray(place, column, `${field}.${name}`);
      const isWords = items.every((item) => item === null || typeof item === 'string');
      if (!isWords) return [name, readNumbers(place, column, `${field}.${name}`)];
      return [name, items.map((item) => (typeof item === 'string' ? item : null))];
    },
  );
  return Object.fromEntries(columns);
};

const readOne = (file: string, value: unknown, index: number): ReadySeries => {
  const id = typeof value === 'object' && value !== null && 'id' in value ? value.id : undefined;
  const place = { file, series: `series[${index}]${typeof id === 'string' ? ` (${id})` : ''}` };
  const fields = readObject(place, value ?? [], 'a series');
  const unknown = Object.keys(fields).find((name) => !KNOWN_FIELDS.has(name));
  if (unknown !== undefined) {
    const known = `fields are ${[...KNOWN_FIELDS].join(', ')}`;
    refuse(place, `field '${unknown}' is not known`, known);
  }
  const target = readNumbers(place, fields.target, 'target');
  if (target.length === 0) refuse(place, 'target is empty', 'give at least one value');
  const { freq = 'auto', actuals } = fields;
  if (typeof freq !== 'string') {
    return refuse(place, `freq is ${quoteValue(freq)}`, 'give a pandas alias or auto');
  }
  return {
    id: id === undefined ? `series ${index + 1}` : String(id),
    freq,
    timestamps: readTimestamps(place, fields.timestamps, target.length),
    target,
    covariates: readCovariates(place, fields.past_covariates, 'past_covariates'),
    futureCovariates: readCovariates(place, fields.future_covariates, 'future_covariates'),
    staticCovariates: readObject(place, fields.static_covariates, 'static_covariates'),
    actuals:
      actuals === undefined || actuals === null
        ? undefined
        : readNumbers(place, actuals, 'actuals'),
  };
};

/** Reads series objects; throws INVALID_INPUT with the series, field and value that do not fit. */
export const readSeriesObjects = (file: string, values: readonly unknown[]): ReadySeries[] => {
  const series = values.map((value, i) => readOne(file, value, i));
  const seen = new Set<string>();
  for (const { id } of series) {
    if (seen.has(id)) {
      refuseInput(file, `series id '${id}' is used twice`, { hint: 'give each series its own id' });
    }
    seen.add(id);
  }
  return series;
};
