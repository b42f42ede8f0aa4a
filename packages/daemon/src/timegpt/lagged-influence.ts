/**
 * How much a row's past tells of a series' future beyond the series' own past: Granger's logarithm of variances
 * (Geweke 1982) and transfer entropy in bits (Schreiber 2000) of terciles.
 */
import type { ExogenousRow, Panel } from './panel.ts';
import { encodeWords, regress } from './regression.ts';

export type InfluenceKind = 'granger' | 'transfer_entropy';

const LAGS = 3;

/** Pairs of neighbours without gaps: the series and the row, oldest first. */
interface Pair {
  readonly values: Float64Array;
  readonly row: Float64Array;
}

const rowNumbers = (
  row: ExogenousRow,
  values: Float64Array,
  from: number,
  end: number,
): Float64Array => {
  if (row.kind === 'numbers') return row.past.subarray(from, end);
  const words = row.past.slice(from, end);
  const encode = encodeWords(values, words);
  return Float64Array.from(words, encode);
};

const lagged = (column: Float64Array, lag: number): Float64Array =>
  column.subarray(LAGS - lag, column.length - lag);

const squaredRest = (target: Float64Array, columns: readonly Float64Array[]): number => {
  const { slopes, means } = regress(target, columns);
  const filled = columns.filter((column) => column.length === target.length);
  const rest = target.map((value, i) =>
    filled.reduce((sum, column, k) => sum - slopes[k]! * (column[i]! - means[k]!), value),
  );
  const observed = rest.filter((value) => !Number.isNaN(value));
  const mean = observed.reduce((sum, value) => sum + value, 0) / Math.max(1, observed.length);
  return observed.reduce((sum, value) => sum + (value - mean) ** 2, 0);
};

/** Gaps of the series take the value before them, so that lags stand where they belong. */
const carried = (values: Float64Array): Float64Array => {
  let last = values.find((value) => !Number.isNaN(value)) ?? 0;
  return values.map((value) => {
    if (!Number.isNaN(value)) last = value;
    return last;
  });
};

const granger = ({ values, row }: Pair): number => {
  if (values.length < 4 * LAGS) return 0;
  const target = values.subarray(LAGS);
  const own = Array.from({ length: LAGS }, (_, i) => lagged(values, i + 1));
  // The row's value of the same step counts as well: what is known ahead acts at once.
  const other = Array.from({ length: LAGS + 1 }, (_, i) => lagged(row, i));
  const without = squaredRest(target, own);
  const within = squaredRest(target, [...own, ...other]);
  return without > 0 && within > 0 ? Math.max(0, Math.log(without / within)) : 0;
};

/** Thirds of the values in order; where there are three values at most, each is a state of its own. */
const states = (column: Float64Array): Uint8Array => {
  const distinct = [...new Set(column)].toSorted((a, b) => a - b);
  if (distinct.length <= STATES) return Uint8Array.from(column, (value) => distinct.indexOf(value));
  const sorted = column.toSorted();
  const low = sorted[Math.floor(sorted.length / 3)]!;
  const high = sorted[Math.floor((2 * sorted.length) / 3)]!;
  return Uint8Array.from(column, (value) => (value <= low ? 0 : value <= high ? 1 : 2));
};

const STATES = 3;

const entropy = (counts: Float64Array, total: number): number =>
  counts.reduce(
    (sum, count) => (count > 0 ? sum - (count / total) * Math.log2(count / total) : sum),
    0,
  );

/** H(y', y) - H(y) - H(y', y, x) + H(y, x), with x of the same step as y'. */
const transferEntropy = ({ values, row }: Pair): number => {
  const n = values.length - 1;
  if (n < 4 * LAGS) return 0;
  const y = states(values);
  const x = states(row);
  const next = new Float64Array(STATES ** 2);
  const own = new Float64Array(STATES);
  const all = new Float64Array(STATES ** 3);
  const both = new Float64Array(STATES ** 2);
  for (let i = 0; i < n; i++) {
    const [before, after, cause] = [y[i]!, y[i + 1]!, x[i + 1]!];
    own[before]!++;
    next[after * STATES + before]!++;
    both[before * STATES + cause]!++;
    all[(after * STATES + before) * STATES + cause]!++;
  }
  return Math.max(0, entropy(next, n) - entropy(own, n) - entropy(all, n) + entropy(both, n));
};

/** Weights of the rows for one series; they add up to 1, or are 0 where no row tells anything. [rows] */
export const influenceOn = (panel: Panel, series: number, kind: InfluenceKind): number[] => {
  const from = panel.offsets[series]!;
  const end = from + panel.sizes[series]!;
  const raw = panel.values.subarray(from, end);
  const values = carried(raw);
  const measure = kind === 'granger' ? granger : transferEntropy;
  const weights = panel.rows.map((row) =>
    measure({ values, row: rowNumbers(row, raw, from, end) }),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? weights.map((weight) => weight / total) : weights;
};

/** The mean over all series. [rows] */
export const influence = (panel: Panel, kind: InfluenceKind): number[] => {
  const bySeries = panel.sizes.map((_, series) => influenceOn(panel, series, kind));
  return panel.rows.map(
    (_, row) => bySeries.reduce((sum, weights) => sum + weights[row]!, 0) / bySeries.length,
  );
};
