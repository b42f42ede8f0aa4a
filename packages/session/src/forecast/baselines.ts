/** The last rungs of the ladder: models that need nothing and cannot fail on a series with a value. */
import { normalQuantile } from '@tollama/models/statistical/normal';
import type { SeriesForecast } from '../backend/backend.ts';
import type { Panel, PanelSeries } from '../frame/panel.ts';

export const BASELINES = ['SeasonalNaive', 'HistoricAverage', 'Naive', 'Croston'] as const;
export type BaselineName = (typeof BASELINES)[number];

export const isBaseline = (name: string): name is BaselineName =>
  (BASELINES as readonly string[]).includes(name);

/** Gaps repeat the value before; leading ones are cut. */
const known = (target: Float64Array): Float64Array => {
  const first = target.findIndex((value) => !Number.isNaN(value));
  const values = target.slice(Math.max(0, first));
  for (let i = 1; i < values.length; i++) if (Number.isNaN(values[i]!)) values[i] = values[i - 1]!;
  return values;
};

/** A point path, and the deviation at each step. */
interface Path {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

const lagDeviation = (values: Float64Array, lag: number): number => {
  let sum = 0;
  for (let i = lag; i < values.length; i++) sum += (values[i]! - values[i - lag]!) ** 2;
  return Math.sqrt(sum / Math.max(1, values.length - lag));
};

const seasonalNaive = (values: Float64Array, h: number, season: number): Path => {
  const lag = season < values.length ? season : 1;
  const sigma = lagDeviation(values, lag);
  const mean = new Float64Array(h);
  for (let i = 0; i < h; i++) mean[i] = values[values.length - lag + (i % lag)]!;
  return { mean, deviation: mean.map((_, i) => sigma * Math.sqrt(Math.floor(i / lag) + 1)) };
};

const historicAverage = (values: Float64Array, h: number): Path => {
  const level = values.reduce((a, b) => a + b, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - level) ** 2, 0);
  const sigma = Math.sqrt(squares / Math.max(1, values.length - 1));
  const mean = new Float64Array(h).fill(level);
  return { mean, deviation: mean.map(() => sigma * Math.sqrt(1 + 1 / values.length)) };
};

const SMOOTHING = 0.1;

/** Croston 1972: demand and its interval, each smoothed by 0.1 when there is demand. */
const croston = (values: Float64Array, h: number): Path => {
  let size = Number.NaN;
  let interval = 1;
  let since = 1;
  let squares = 0;
  for (const value of values) {
    const rate = Number.isNaN(size) ? 0 : size / interval;
    squares += (value - rate) ** 2;
    if (value > 0) {
      size = Number.isNaN(size) ? value : size + SMOOTHING * (value - size);
      interval = interval === 1 && since > 1 ? since : interval + SMOOTHING * (since - interval);
      since = 1;
    } else since++;
  }
  const mean = new Float64Array(h).fill(Number.isNaN(size) ? 0 : size / interval);
  return { mean, deviation: mean.map(() => Math.sqrt(squares / values.length)) };
};

const pathOf = (name: BaselineName, values: Float64Array, h: number, season: number): Path => {
  switch (name) {
    case 'SeasonalNaive':
      return seasonalNaive(values, h, season);
    case 'HistoricAverage':
      return historicAverage(values, h);
    case 'Naive':
      return seasonalNaive(values, h, 1);
    case 'Croston':
      return croston(values, h);
  }
};

/** Forecasts one series; its quantiles are normal around the path. */
export const forecastBaseline = (
  name: BaselineName,
  { id, target }: PanelSeries,
  { season }: Pick<Panel, 'season'>,
  { h, quantiles }: { readonly h: number; readonly quantiles: readonly number[] },
): SeriesForecast => {
  const { mean, deviation } = pathOf(name, known(target), h, season);
  return {
    id,
    mean,
    quantiles: quantiles.map((level) => {
      const z = normalQuantile(level);
      return mean.map((center, i) => center + z * deviation[i]!);
    }),
  };
};
