import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Term } from '@tollama/evaluation/gift-eval/data-sets';
import { forecastValues, type StoredForecast } from '@tollama/evaluation/gift-eval/forecast-values';
import {
  type Instance,
  shortestLength,
  testInstances,
  toUnivariate,
} from '@tollama/evaluation/gift-eval/instances';
import { leaderboard, type ScoreTable } from '@tollama/evaluation/gift-eval/leaderboard';
import {
  addInstance,
  addSums,
  coverages,
  emptySums,
  LOSS_LEVELS,
  type MetricSums,
  metricsOf,
} from '@tollama/evaluation/gift-eval/metrics';
import {
  predictionLength,
  seasonalError,
  seasonality,
  windowCount,
} from '@tollama/evaluation/gift-eval/protocol';
import { type Comparison, compare, type Tolerance } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Row = readonly (number | null)[];
type Rows = readonly Row[];
type Numbers = Readonly<Record<string, unknown>>;

interface EvaluateInput {
  readonly dataset_name: string;
  readonly freq: string;
  readonly start: string;
  readonly term: Term;
  readonly targets: readonly (Row | Rows)[];
  readonly instances: readonly {
    readonly forecast: {
      readonly quantiles?: Readonly<Record<string, readonly number[]>>;
      readonly mean?: readonly number[];
      readonly samples?: readonly (readonly number[])[];
    };
  }[];
}

interface Case extends Tolerance {
  readonly name: string;
  readonly kind: string;
  readonly input: unknown;
  readonly expected: unknown;
  readonly rtol_float32?: number;
}

interface Evaluated {
  readonly prediction_length: number;
  readonly windows: number;
  readonly seasonality: number;
  readonly instances: readonly (Numbers & { readonly item_id: string })[];
  readonly metrics: Numbers;
  readonly metrics_float32: Numbers;
  readonly sums: Numbers;
  readonly per_instance: Numbers;
}

const toFloat32: Convert = (values) => Float32Array.from(values);

const isRows = (target: Row | Rows): target is Rows => Array.isArray(target[0]);
const toNumbers = (row: Row): Float64Array =>
  Float64Array.from(row, (value) => value ?? Number.NaN);

type Stored = EvaluateInput['instances'][number]['forecast'];
type Convert = (values: ArrayLike<number>) => ArrayLike<number>;

const storedForecast = ({ quantiles, mean, samples }: Stored, convert: Convert): StoredForecast => {
  if (samples) return { samples: samples.map(convert) };
  const entries = Object.entries(quantiles!).sort(([a], [b]) => Number(a) - Number(b));
  return {
    levels: entries.map(([level]) => Number(level)),
    quantiles: entries.map(([, values]) => convert(values)),
    mean: mean && convert(mean),
  };
};

const sumsOf = (one: Instance, stored: Stored, season: number, convert: Convert): MetricSums => {
  const sums = emptySums();
  addInstance(sums, {
    label: convert(one.label),
    forecast: forecastValues(storedForecast(stored, convert)),
    seasonalError: seasonalError(convert(one.input), season),
  });
  return sums;
};

const total = (parts: readonly MetricSums[]): MetricSums => {
  const sums = emptySums();
  for (const part of parts) addSums(sums, part);
  return sums;
};

const compareAll = (label: string, got: Numbers, want: Numbers, tolerance: Tolerance) =>
  Object.entries(want).map(([name, value]) =>
    compare(`${label} ${name}`, got[name], value, tolerance),
  );

const byLevel = (label: string, values: ArrayLike<number>): Record<string, number> =>
  Object.fromEntries(LOSS_LEVELS.map((level, l) => [`${label}[${level}]`, values[l]!]));

const instanceFacts = (one: Instance, stored: Stored, season: number): Numbers => {
  const error = seasonalError(one.input, season);
  const forecast = forecastValues(storedForecast(stored, (values) => values));
  return {
    input_length: one.input.length,
    label_start: one.input.length,
    seasonal_error: error,
    seasonal_error_undefined: Number.isNaN(error),
    'q0.025': forecast.quantile(0.025),
    'q0.975': forecast.quantile(0.975),
  };
};

const evaluate = ({ input, expected, rtol_float32, ...tolerance }: Case): Comparison[] => {
  const { dataset_name, freq, start, term, targets, instances } = input as EvaluateInput;
  const want = expected as Evaluated;
  const stored = targets.map((target, i) => ({
    id: `item${i}`,
    start,
    freq,
    target: isRows(target) ? target.map(toNumbers) : toNumbers(target),
  }));
  const series = toUnivariate(stored);
  const horizon = predictionLength(dataset_name, freq, term);
  const windows = windowCount(dataset_name, horizon, shortestLength(series));
  const season = seasonality(freq);
  const all = [...testInstances(series, horizon, windows)];
  const forecasts = instances.map(({ forecast }) => forecast);
  const parts = all.map((one, i) => sumsOf(one, forecasts[i]!, season, (values) => values));
  const rounded = all.map((one, i) => sumsOf(one, forecasts[i]!, season, toFloat32));
  const perInstance = parts.map(metricsOf);
  const pooled = total(parts);
  return [
    compare(
      'protocol',
      [horizon, windows, season, all.length],
      [want.prediction_length, want.windows, want.seasonality, forecasts.length],
      tolerance,
    ),
    ...want.instances.flatMap(({ item_id, forecast_start: _, ...facts }, i) => [
      compare(`item_id ${item_id}`, Number(all[i]!.series.id === item_id), 1, tolerance),
      ...compareAll(
        `instance ${i}`,
        instanceFacts(all[i]!, forecasts[i]!, season),
        facts,
        tolerance,
      ),
    ]),
    ...compareAll('float64', metricsOf(pooled), want.metrics, tolerance),
    ...compareAll('float32', metricsOf(total(rounded)), want.metrics_float32, {
      rtol: rtol_float32!,
      atol: tolerance.atol,
    }),
    ...compareAll(
      'sums',
      { ...byLevel('sum_quantile_loss', pooled.losses), ...byLevel('coverage', coverages(pooled)) },
      want.sums,
      tolerance,
    ),
    ...Object.entries(want.per_instance).map(([name, values]) =>
      compare(
        `per instance ${name}`,
        perInstance.map((metrics) => metrics[name as keyof typeof metrics]),
        values,
        tolerance,
      ),
    ),
  ];
};

const windowsCase = ({ input, expected, ...tolerance }: Case): Comparison[] => {
  const { dataset_name, freq, term, min_series_length } = input as EvaluateInput & {
    readonly min_series_length: number;
  };
  const horizon = predictionLength(dataset_name, freq, term);
  const got = {
    prediction_length: horizon,
    windows: windowCount(dataset_name, horizon, min_series_length),
  };
  return compareAll('', got, expected as Numbers, tolerance);
};

const lookupCase = ({ input, expected, ...tolerance }: Case): Comparison[] => {
  const { levels, arrays, ask } = input as {
    readonly levels: readonly number[];
    readonly arrays: readonly (readonly number[])[];
    readonly ask: readonly number[];
  };
  const forecast = forecastValues({ levels, quantiles: arrays });
  const got = Object.fromEntries(ask.map((level) => [String(level), forecast.quantile(level)]));
  return compareAll('level', got, expected as Numbers, tolerance);
};

const aggregateCase = ({ input, expected, ...tolerance }: Case): Comparison[] => {
  const { baseline, models } = input as { readonly baseline: string; readonly models: ScoreTable };
  const want = expected as Readonly<Record<string, Numbers>>;
  const standings = leaderboard(models, baseline);
  return Object.entries(want).flatMap(([model, values]) => {
    const { mase, crps, maseRank, crpsRank } = standings.find((one) => one.model === model)!;
    return compareAll(
      model,
      { mase, crps, mase_rank: maseRank, crps_rank: crpsRank },
      values,
      tolerance,
    );
  });
};

const RUN: Readonly<Record<string, (one: Case) => Comparison[]>> = {
  evaluate,
  windows: windowsCase,
  quantile_lookup: lookupCase,
  aggregate: aggregateCase,
  seasonality: ({ input, expected, ...tolerance }) => [
    compare('season', seasonality(input as string), expected, tolerance),
  ],
};

export const giftEvalMetrics: GoldenKind = async (folder) => {
  const { cases } = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as {
    readonly cases: readonly Case[];
  };
  return {
    cases: cases.map((one) => ({
      name: one.name,
      run: async () => RUN[one.kind]?.(one) ?? [],
    })),
    [Symbol.asyncDispose]: async () => {},
  };
};
