/**
 * Covariates as the columns of a regression (utils/xreg_lib.py, `create_covariate_matrix`): an intercept,
 * numbers in standard units, and a column of 0 and 1 for each category.
 */
import type { Covariate, ModelSeries } from '../../family.ts';

/** A category as it is compared and sorted. */
type Category = string | number;

/** One series of the regression: the rows of its context that are fitted, then those of its horizon. */
export interface RegressionSeries {
  readonly series: ModelSeries;
  /** The first of the time steps that are fitted. */
  readonly from: number;
  /** The end of the context. */
  readonly until: number;
}

/** One covariate of all series. */
interface Column {
  /** [series][time], fitted steps first, then the horizon; NaN or null where missing. */
  readonly rows: readonly (readonly (Category | null)[])[];
  readonly isNumeric: boolean;
}

const isNumber = (value: unknown): value is number => typeof value === 'number';

const isNumeric = (covariate: Covariate): boolean =>
  Array.prototype.every.call(covariate, isNumber);

/** Facts are any JSON; what is no number is a category. */
const categoryOf = (fact: unknown): Category | null => {
  if (fact === null || isNumber(fact)) return fact;
  return typeof fact === 'string' ? fact : JSON.stringify(fact);
};

/** Fitted steps and horizon of one dynamic covariate. */
const dynamicRow = ({ series, from, until }: RegressionSeries, name: string) => [
  ...Array.prototype.slice.call(series.pastCovariates![name]!, from, until),
  ...Array.from(series.futureCovariates![name]! as ArrayLike<Category | null>),
];

const dynamicNames = ({ series }: RegressionSeries): string[] =>
  Object.keys(series.futureCovariates ?? {}).sort();

const staticNames = ({ series }: RegressionSeries): string[] =>
  Object.keys(series.staticCovariates ?? {});

const horizonOf = ({ series }: RegressionSeries, horizon: number): number => {
  const [first] = Object.values(series.futureCovariates ?? {});
  return first?.length ?? horizon;
};

/** The covariates in the order of their columns: numbers before categories, dynamic before static. */
const columnsOf = (all: readonly RegressionSeries[], horizon: number): readonly Column[] => {
  const [first] = all as readonly [RegressionSeries];
  const dynamic = dynamicNames(first).map(
    (name): Column => ({
      rows: all.map((one) => dynamicRow(one, name)),
      isNumeric: all.every(({ series }) => isNumeric(series.futureCovariates![name]!)),
    }),
  );
  const fixed = staticNames(first).map((name): Column => {
    const values = all.map(({ series }) => categoryOf(series.staticCovariates![name]));
    const rows = all.map((one, i) =>
      new Array<Category | null>(one.until - one.from + horizonOf(one, horizon)).fill(values[i]!),
    );
    return { rows, isNumeric: values.every(isNumber) };
  });
  const ordered = [...dynamic, ...fixed];
  return [
    ...ordered.filter((column) => column.isNumeric),
    ...ordered.filter((column) => !column.isNumeric),
  ];
};

/** Standard deviations up to this count as none. */
const TINY = 1e-6;

/** In units of mean and population standard deviation of the fitted steps; missing ones are the mean. */
const standardized = (column: Column, fitted: readonly number[]): number[][][] => {
  const rows = column.rows as readonly (readonly number[])[];
  const known = rows
    .flatMap((row, i) => row.slice(0, fitted[i]))
    .filter((value) => !Number.isNaN(value));
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  const square = known.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(square / Math.max(1, known.length));
  const unit = deviation > TINY ? deviation : 1;
  return rows.map((row) => row.map((value) => [Number.isNaN(value) ? 0 : (value - mean) / unit]));
};

/** Numbers, and words that are numbers, by size; other words by their characters. */
const sortedCategories = (categories: readonly Category[]): Category[] => {
  const areNumbers = categories.every((category) => Number.isFinite(Number(category)));
  return categories.toSorted((a, b) => {
    if (areNumbers) return Number(a) - Number(b);
    return String(a) < String(b) ? -1 : 1;
  });
};

/** A column for each category of the fitted steps; others of the horizon are none of them. */
const oneHot = (column: Column, fitted: readonly number[], dropsFirst: boolean): number[][][] => {
  const seen = new Set(column.rows.flatMap((row, i) => row.slice(0, fitted[i])));
  const known = [...seen].filter((category) => category !== null);
  const categories = sortedCategories(known).slice(dropsFirst ? 1 : 0);
  return column.rows.map((row) =>
    row.map((value) => categories.map((category) => (category === value ? 1 : 0))),
  );
};

/**
 * The rows of the regression of each series: fitted steps first, then the horizon. Series must have the
 * same covariates.
 */
export const covariateMatrix = (
  all: readonly RegressionSeries[],
  horizon: number,
  dropsFirst: boolean,
): number[][][] => {
  const fitted = all.map(({ from, until }) => until - from);
  const blocks = columnsOf(all, horizon).map((column) =>
    column.isNumeric ? standardized(column, fitted) : oneHot(column, fitted, dropsFirst),
  );
  return fitted.map((length, i) =>
    Array.from({ length: length + horizonOf(all[i]!, horizon) }, (_, t) => [
      1,
      ...blocks.flatMap((block) => block[i]![t]!),
    ]),
  );
};
