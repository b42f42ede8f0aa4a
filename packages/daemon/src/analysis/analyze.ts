/** The description of one series: frequency, seasons, trend, anomalies, quality. */

import type { AnalyzeParameters } from '@tollama/core/forecast-variants';
import { inferFrequency, parseFrequency, seasonLengths } from '@tollama/core/frequency';
import type { Series } from '@tollama/core/series';
import { type Anomaly, findAnomalies } from './anomalies.ts';
import { deviation, observedTarget, withoutGaps } from './observed.ts';
import { inspectTimes, qualityScore, qualityWarnings } from './quality.ts';
import { findSeasons } from './seasonality.ts';
import { type Direction, directionOf, linearTrend, withoutLine } from './trend.ts';

export interface SeriesAnalysis {
  readonly id: string;
  readonly detected_frequency: string;
  /** Steps, ascending. */
  readonly seasonality_periods: readonly number[];
  readonly trend: { readonly direction: Direction; readonly slope: number; readonly r2: number };
  readonly anomaly_indices: readonly number[];
  readonly anomalies: readonly Anomaly[];
  /** Null where there are too few points to say. */
  readonly stationarity_flag: boolean | null;
  readonly data_quality_score: number;
  readonly warnings: readonly string[] | null;
}

const UNKNOWN = 'unknown';

const detectFrequency = ({ freq, timestamps }: Series): { alias: string; warning?: string } => {
  if (freq !== 'auto') return { alias: freq };
  try {
    const { alias, warning } = inferFrequency(timestamps);
    return { alias, ...(warning !== undefined && { warning }) };
  } catch (error) {
    return { alias: UNKNOWN, warning: (error as Error).message };
  }
};

const candidateSeasons = (alias: string): readonly number[] => {
  try {
    return alias === UNKNOWN ? [] : seasonLengths(parseFrequency(alias));
  } catch {
    return [];
  }
};

const LEAST_FOR_STATIONARITY = 12;
const PERSISTENT = 0.9;

/** No clear trend, no break, and neighbours that do not follow each other like a random walk's. */
const isStationary = (values: Float64Array, r2: number, hasBreak: boolean): boolean | null => {
  const n = values.length;
  if (n < LEAST_FOR_STATIONARITY) return null;
  if (hasBreak) return false;
  const rest = withoutLine(values, linearTrend(values));
  const spread = deviation(rest);
  if (spread === 0) return r2 === 0;
  let product = 0;
  for (let i = 1; i < n; i++) product += rest[i]! * rest[i - 1]!;
  const follows = product / (n * spread * spread);
  const isTrended = r2 > 0.25 && r2 * n > 9;
  return !isTrended && follows < PERSISTENT;
};

/** Looks at the latest points only; places are those of the whole series. */
export const analyzeSeries = (series: Series, parameters: AnalyzeParameters): SeriesAnalysis => {
  const { max_points, max_lag, top_k_seasonality, anomaly_iqr_k } = parameters;
  const observed = observedTarget(series);
  const offset = Math.max(0, observed.length - max_points);
  const latest = observed.subarray(offset);
  const values = withoutGaps(latest);
  const { alias, warning } = detectFrequency(series);
  const search = { candidates: candidateSeasons(alias), maxLag: max_lag, top: top_k_seasonality };
  const seasons = findSeasons(values, search);
  const trend = linearTrend(values);
  const spread = deviation(values);
  const found = findAnomalies(values, seasons[0]?.period, anomaly_iqr_k);
  const isMissing = (i: number): boolean => Number.isNaN(latest[i]!);
  const indices = found.indices.filter((i) => !isMissing(i)).map((i) => i + offset);
  const anomalies = found.anomalies.filter(({ index }) => !isMissing(index));
  const known = alias === UNKNOWN ? undefined : alias;
  const facts = {
    points: values.length,
    missing: latest.reduce((count, value) => count + Number(Number.isNaN(value)), 0),
    anomalies: indices.length,
    isConstant: spread === 0,
    times: inspectTimes(series.timestamps.slice(offset), known),
  };
  const warnings = [
    ...(offset > 0
      ? [`only the latest ${max_points} of ${observed.length} points are looked at`]
      : []),
    ...(warning === undefined ? [] : [warning]),
    ...qualityWarnings(facts),
  ];
  return {
    id: series.id,
    detected_frequency: alias,
    seasonality_periods: seasons.map(({ period }) => period).toSorted((a, b) => a - b),
    trend: {
      direction: directionOf(
        trend.slope * (values.length - 1),
        trend.r2 < 0.05 ? 10 * spread : spread,
      ),
      slope: trend.slope,
      r2: trend.r2,
    },
    anomaly_indices: indices,
    anomalies: anomalies.map((anomaly) => ({
      ...anomaly,
      index: anomaly.index + offset,
      range_start: anomaly.range_start + offset,
      range_end: anomaly.range_end + offset,
    })),
    stationarity_flag: isStationary(values, trend.r2, found.changePoint !== undefined),
    data_quality_score: qualityScore(facts),
    warnings: warnings.length > 0 ? warnings : null,
  };
};

const listed = (periods: readonly number[]): string =>
  periods.length === 0 ? 'no season' : `seasons of ${periods.join(', ')} steps`;

/** The analysis of one series in a sentence, and what to mind. */
export const narrateAnalysis = (analysis: SeriesAnalysis) => {
  const { id, trend, seasonality_periods, anomalies, data_quality_score, warnings } = analysis;
  const count = anomalies.length;
  const outliers =
    count === 0 ? 'no anomalies' : count === 1 ? 'one anomaly' : `${count} anomalies`;
  return {
    id,
    summary: `'${id}' goes ${trend.direction}, with ${listed(seasonality_periods)} and ${outliers}; data quality ${data_quality_score}.`,
    trend_direction: trend.direction,
    dominant_seasonality_period: seasonality_periods[0] ?? null,
    anomaly_count: count,
    data_quality_score,
    key_risks: [
      ...(warnings ?? []),
      ...anomalies
        .filter(({ severity }) => severity === 'high')
        .slice(0, 5)
        .map(({ type, index }) => `${type.replace('_', ' ')} of high severity at ${index}`),
      ...(analysis.stationarity_flag === false ? ['the level or the trend changes over time'] : []),
    ],
  };
};
