import type { SeriesAnalysis } from '@tollama/client';
import type { Series } from '@tollama/core/series';
import { z } from 'zod';
import { LIMITS } from '../limits.ts';
import { compactNumber } from '../phrases.ts';
import { DATA_FIELDS, defaultHorizon, seriesOf } from '../series-input.ts';
import { READS, type Tool } from '../tool.ts';

const Input = z.strictObject(DATA_FIELDS);

const Value = z.number().nullable();

const Description = z.object({
  id: z.string(),
  points: z.number(),
  missing: z.number(),
  start: z.string(),
  end: z.string(),
  frequency: z.string().describe('pandas alias, or unknown'),
  minimum: Value,
  median: Value,
  mean: Value,
  maximum: Value,
  standard_deviation: Value,
  zeros: z.number(),
  last: Value,
  trend: z.object({
    direction: z.enum(['up', 'down', 'flat']),
    slope: z.number().describe('change a step'),
    r2: z.number().describe('share of the variance that the trend explains'),
  }),
  season_lengths: z.array(z.number()).describe('steps of a cycle, found in the values'),
  is_stationary: z.boolean().nullable(),
  outlier_indices: z.array(z.number()),
  quality: z.number().describe('1 is flawless, 0 is useless'),
  suggested_horizon: z.number(),
  warnings: z.array(z.string()),
});
type Description = z.infer<typeof Description>;

const Output = z.object({ series: z.array(Description) });

/** Numbers about the known values; all null where none is. */
const summaryOf = ({ target, missing_indices }: Series) => {
  const missing = new Set(missing_indices ?? []);
  const known = target.filter((_, i) => !missing.has(i));
  const ascending = known.toSorted((a, b) => a - b);
  const half = (ascending.length - 1) / 2;
  const mean = known.reduce((sum, value) => sum + value / known.length, 0);
  const variance = known.reduce((sum, value) => sum + (value - mean) ** 2 / known.length, 0);
  const isEmpty = known.length === 0;
  return {
    missing: missing.size,
    minimum: ascending[0] ?? null,
    median: isEmpty ? null : (ascending[Math.floor(half)]! + ascending[Math.ceil(half)]!) / 2,
    mean: isEmpty ? null : mean,
    maximum: ascending.at(-1) ?? null,
    standard_deviation: isEmpty ? null : Math.sqrt(variance),
    zeros: known.filter((value) => value === 0).length,
    last: known.at(-1) ?? null,
  };
};

const describe = (series: Series, analysis: SeriesAnalysis): Description => ({
  id: series.id,
  points: series.target.length,
  start: series.timestamps[0]!,
  end: series.timestamps.at(-1)!,
  frequency: analysis.detected_frequency,
  ...summaryOf(series),
  trend: analysis.trend,
  season_lengths: [...analysis.seasonality_periods],
  is_stationary: analysis.stationarity_flag,
  outlier_indices: [...analysis.anomaly_indices],
  quality: analysis.data_quality_score,
  suggested_horizon: defaultHorizon([series]),
  warnings: [...(analysis.warnings ?? [])],
});

const sentence = (one: Description): string => {
  const number = (value: number | null): string => (value === null ? '-' : compactNumber(value));
  const seasons =
    one.season_lengths.length > 0
      ? `seasons of ${one.season_lengths.join(', ')} steps`
      : 'no season';
  return `${one.id}: ${one.points} points (${one.frequency}) from ${one.start} to ${one.end}, ${one.missing} missing; ${number(one.minimum)} to ${number(one.maximum)}, mean ${number(one.mean)}; trend ${one.trend.direction}, ${seasons}, ${one.outlier_indices.length} outliers.`;
};

export const describeSeries: Tool<typeof Input, typeof Output> = {
  name: 'describe_series',
  title: 'Describe time series',
  description:
    'Facts on each series: span, frequency, missing values, level and spread, trend, seasons, outliers, quality. No model is run.',
  input: Input,
  output: Output,
  annotations: READS,
  async run(input, call) {
    const series = await seriesOf(input, call);
    const body = { series: series.map((one) => ({ ...one, future_covariates: null })) };
    const { results } = await call.context.client.analyze(body, { signal: call.signal });
    return { series: series.map((one, i) => describe(one, results[i]!)) };
  },
  summarize({ series }) {
    const rest = series.length - LIMITS.namedSeries;
    return [
      ...series.slice(0, LIMITS.namedSeries).map(sentence),
      ...(rest > 0 ? [`and ${rest} more series in the structured answer`] : []),
    ].join('\n');
  },
};
