/** What each exogenous row contributes to forecasts: a line for each row, then the base value. */
import { TollamaError } from '@tollama/core/errors';
import type { ModelCalls } from '../columnar/model-calls.ts';
import { influenceOn } from './lagged-influence.ts';
import type { ExogenousRow, Panel } from './panel.ts';
import type { ContributionKind } from './requests.ts';
import { spanOf, type Window } from './span.ts';
import { cleanWindow } from './window-regression.ts';
import { forecastWindows, type WindowRows, type WindowsOptions } from './windows.ts';

export interface ContributionRequest {
  readonly panel: Panel;
  readonly windows: readonly Window[];
  readonly calls: ModelCalls;
  readonly options: WindowsOptions;
  /** The forecasts themselves. */
  readonly rows: readonly WindowRows[];
}

/** [rows + 1][windows * horizon] */
type Columns = readonly (readonly number[])[];

/** Size of each row's part over the series, adding up to 1; null without rows. [rows] */
export const rowWeights = (panel: Panel, context: number): number[] | null => {
  if (panel.rows.length === 0) return null;
  const sums = new Float64Array(panel.rows.length);
  panel.sizes.forEach((origin, series) => {
    const { weights } = cleanWindow(panel, spanOf(panel, { series, origin, round: 0 }, context));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (total === 0) return;
    weights.forEach((weight, row) => {
      sums[row]! += weight / total;
    });
  });
  const total = sums.reduce((sum, value) => sum + value, 0);
  return Array.from(sums, (value) => (total > 0 ? value / total : 0));
};

const flatMeans = (rows: readonly WindowRows[]): number[] => rows.flatMap(({ mean }) => mean);

/** The regression is linear: what it adds for each row is the row's Shapley value. */
const ofRegression = ({ panel, rows }: ContributionRequest): Columns => {
  const effects = panel.rows.map((_, row) =>
    rows.flatMap((window) => Array.from(window.effects![row]!)),
  );
  const base = flatMeans(rows).map((mean, i) =>
    effects.reduce((rest, effect) => rest - effect[i]!, mean),
  );
  return [...effects, base];
};

const mostFrequent = (words: readonly string[]): string => {
  const counts = Map.groupBy(words, (word) => word);
  return [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0]![0];
};

/** The row at its baseline: the mean, or the most frequent word, of each series. */
const atBaseline = (row: ExogenousRow, { sizes, offsets }: Panel): ExogenousRow => {
  if (row.kind === 'words') {
    const own = sizes.map((size, s) =>
      mostFrequent(row.past.slice(offsets[s], offsets[s]! + size)),
    );
    const spread = (lengths: readonly number[]) =>
      own.flatMap((word, s) => new Array<string>(lengths[s]!).fill(word));
    const ahead = (row.future?.length ?? 0) / sizes.length;
    return {
      kind: 'words',
      past: spread(sizes),
      ...(row.future && { future: spread(sizes.map(() => ahead)) }),
    };
  }
  const past = row.past.slice();
  const future = row.future?.slice();
  const ahead = (future?.length ?? 0) / sizes.length;
  sizes.forEach((size, s) => {
    const part = past.subarray(offsets[s], offsets[s]! + size);
    const mean = part.reduce((sum, value) => sum + value / size, 0);
    part.fill(mean);
    future?.fill(mean, s * ahead, (s + 1) * ahead);
  });
  return { kind: 'numbers', past, ...(future && { future }) };
};

/** Forecasts with the rows outside of a coalition at their baselines; the same coalition is asked once. */
const coalitions = (request: ContributionRequest) => {
  const { panel, windows, calls, options, rows } = request;
  const baselines = panel.rows.map((row) => atBaseline(row, panel));
  const known = new Map<string, Promise<readonly number[]>>();
  const everything = panel.rows.map(() => true);
  known.set(everything.join(), Promise.resolve(flatMeans(rows)));
  return (members: readonly boolean[]): Promise<readonly number[]> => {
    const key = members.join();
    const found = known.get(key);
    if (found) return found;
    const mixed = panel.rows.map((row, i) => (members[i] ? row : baselines[i]!));
    const asked = forecastWindows({ ...panel, rows: mixed }, windows, calls, {
      ...options,
      levels: [],
    }).then(flatMeans);
    known.set(key, asked);
    return asked;
  };
};

/** Up to here every order of the rows is weighed exactly, by all coalitions. */
const EXACT_ROWS = 4;
const MOST_ROWS = 32;

const permutations = (items: readonly number[]): number[][] =>
  items.length <= 1
    ? [[...items]]
    : items.flatMap((item, i) =>
        permutations(items.toSpliced(i, 1)).map((rest) => [item, ...rest]),
      );

/** A few orders that put each row early and late alike: rotations, forwards and backwards. */
const someOrders = (count: number): number[][] => {
  const forwards = Array.from({ length: count }, (_, i) => i);
  const rotated = [...forwards.slice(count >> 1), ...forwards.slice(0, count >> 1)];
  return [forwards, rotated].flatMap((order) => [order, order.toReversed()]);
};

/** Mean of what each row adds when it joins, over the orders of joining; adds up to the forecast exactly. */
const shapley = async (request: ContributionRequest): Promise<Columns> => {
  const { rows: exogenous } = request.panel;
  const count = exogenous.length;
  if (count > MOST_ROWS) {
    throw new TollamaError('NOT_OFFERED', `shapley values of ${count} rows would take too long`, {
      hint: `use at most ${MOST_ROWS} rows, or another feature_contributions_type`,
    });
  }
  const value = coalitions(request);
  const indices = exogenous.map((_, i) => i);
  const orders = count <= EXACT_ROWS ? permutations(indices) : someOrders(count);
  const base = await value(exogenous.map(() => false));
  const sums = exogenous.map(() => new Float64Array(base.length));
  for (const order of orders) {
    const members = exogenous.map(() => false);
    let before = base;
    for (const row of order) {
      members[row] = true;
      const after = await value([...members]);
      for (let i = 0; i < after.length; i++)
        sums[row]![i]! += (after[i]! - before[i]!) / orders.length;
      before = after;
    }
  }
  return [...sums.map((sum) => Array.from(sum)), [...base]];
};

/** The forecast less the one with the row at its baseline; does not add up. */
const intervention = async (request: ContributionRequest): Promise<Columns> => {
  const { rows: exogenous } = request.panel;
  const value = coalitions(request);
  const whole = flatMeans(request.rows);
  const columns: number[][] = [];
  for (const row of exogenous.keys()) {
    const without = await value(exogenous.map((_, i) => i !== row));
    columns.push(whole.map((mean, i) => mean - without[i]!));
  }
  return [...columns, [...(await value(exogenous.map(() => false)))]];
};

/** What the forecast is away from the series' mean, shared out by what the rows told of the past. */
const sharedOut = (
  { panel, windows, rows }: ContributionRequest,
  kind: 'granger' | 'transfer_entropy',
): Columns => {
  const bySeries = new Map<number, { weights: readonly number[]; mean: number }>();
  for (const { series } of windows) {
    if (bySeries.has(series)) continue;
    const from = panel.offsets[series]!;
    const observed = panel.values
      .subarray(from, from + panel.sizes[series]!)
      .filter((value) => !Number.isNaN(value));
    const mean = observed.reduce((sum, value) => sum + value / observed.length, 0);
    bySeries.set(series, { weights: influenceOn(panel, series, kind), mean });
  }
  const columns = panel.rows.map((_, row) =>
    windows.flatMap(({ series }, w) => {
      const { weights, mean } = bySeries.get(series)!;
      return rows[w]!.mean.map((value) => weights[row]! * (value - mean));
    }),
  );
  const base = flatMeans(rows).map((mean, i) =>
    columns.reduce((rest, column) => rest - column[i]!, mean),
  );
  return [...columns, base];
};

/** @throws TollamaError NOT_OFFERED for more rows than can be weighed */
export const contributionsOf = (
  kind: ContributionKind,
  request: ContributionRequest,
): Promise<Columns> => {
  if (kind === 'granger' || kind === 'transfer_entropy') {
    return Promise.resolve(sharedOut(request, kind));
  }
  if (request.rows.every(({ effects }) => effects)) return Promise.resolve(ofRegression(request));
  return kind === 'shapley' ? shapley(request) : intervention(request);
};
