import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelSeries, type OpenModel, openModel, type SeriesForecast } from '@tollama/models';
import { runningMoments, windowOf } from '@tollama/models/families/timesfm/windows';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Values = readonly (number | null)[];
type Words = readonly (string | number)[];
type Moments = Readonly<Record<string, readonly (readonly number[])[]>>;
type Flags = Readonly<Record<string, unknown>>;

/** The keyword arguments of forecast_with_covariates; a row for each series. */
interface Xreg {
  readonly dynamic_numerical_covariates?: Readonly<Record<string, readonly (readonly number[])[]>>;
  readonly dynamic_categorical_covariates?: Readonly<Record<string, readonly Words[]>>;
  readonly static_numerical_covariates?: Readonly<Record<string, readonly number[]>>;
  readonly static_categorical_covariates?: Readonly<Record<string, Words>>;
}

interface Case {
  readonly name: string;
  readonly input: {
    readonly inputs: readonly Values[];
    readonly horizon?: number;
    /** ForecastConfig of 2.5. */
    readonly config?: Flags & { readonly max_horizon?: number };
    readonly xreg?: Xreg & Flags;
    /** Of 1.0 and 2.0: arguments of the constructor, and of the call. */
    readonly hparams?: Flags & { readonly horizon_len: number };
    readonly freq?: readonly number[];
    readonly normalize?: boolean;
    readonly window_size?: number;
    readonly forecast_context_len?: number;
    readonly return_forecast_on_context?: boolean;
  };
  readonly expected: {
    readonly point: readonly (readonly number[])[];
    /** None where the reference gives a point forecast alone: 1.0 and 2.0 with covariates. */
    readonly quantiles?: readonly (readonly number[][])[];
    readonly debug?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_per_series?: readonly number[];
}

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };
const NUMERIC = ['dynamic_numerical_covariates', 'static_numerical_covariates'] as const;
const WORDS = ['dynamic_categorical_covariates', 'static_categorical_covariates'] as const;

/** Covariates of one series; categories become words, which is how tollama tells them from numbers. */
const covariatesOf = (xreg: Xreg, i: number, length: number): Partial<ModelSeries> => {
  const dynamic: [string, (number | string)[]][] = [
    ...Object.entries(xreg[NUMERIC[0]] ?? {}).map(([name, rows]): [string, number[]] => [
      name,
      [...rows[i]!],
    ]),
    ...Object.entries(xreg[WORDS[0]] ?? {}).map(([name, rows]): [string, string[]] => [
      name,
      rows[i]!.map(String),
    ]),
  ];
  const fixed = [
    ...Object.entries(xreg[NUMERIC[1]] ?? {}).map(([name, values]) => [name, values[i]]),
    ...Object.entries(xreg[WORDS[1]] ?? {}).map(([name, values]) => [name, String(values[i])]),
  ];
  const cut = (start: number, end?: number) =>
    Object.fromEntries(dynamic.map(([name, row]) => [name, row.slice(start, end)])) as Record<
      string,
      number[]
    >;
  return {
    pastCovariates: cut(0, length),
    futureCovariates: cut(length),
    staticCovariates: Object.fromEntries(fixed),
  };
};

const seriesOf = ({ inputs, xreg }: Case['input']): ModelSeries[] =>
  inputs.map((values, i) => ({
    id: String(i),
    targets: [Float64Array.from(values, (value) => value ?? Number.NaN)],
    ...(xreg && covariatesOf(xreg, i, values.length)),
  }));

interface Answer {
  readonly mean: ArrayLike<number>;
  readonly quantiles: readonly ArrayLike<number>[];
}

/** Forecasts of the context, where there are any, before those of the horizon. */
const wholeAnswer = ({ targets, explanation }: SeriesForecast): Answer => {
  const [ahead] = targets as [Answer];
  const backcast = explanation?.backcast as Answer | undefined;
  if (!backcast) return ahead;
  const join = (a: ArrayLike<number>, b: ArrayLike<number>) => [...Array.from(a), ...Array.from(b)];
  return {
    mean: join(backcast.mean, ahead.mean),
    quantiles: ahead.quantiles.map((row, i) => join(backcast.quantiles[i]!, row)),
  };
};

/** Every channel: the mean of the head, then the deciles. [steps][10] */
const channels = (mean: Answer, { quantiles }: Answer): number[][] =>
  Array.from(mean.mean, (value, step) => [value, ...quantiles.map((row) => row[step]!)]);

const taskOf = ({ input, expected }: Case, own: Flags) => {
  const longest = Math.max(...expected.point.map(({ length }) => length));
  const { inputs: _, horizon, config, xreg, hparams, ...call } = input;
  // Covariates make the reference return the horizon alone.
  const flags = {
    ...hparams,
    ...call,
    ...config,
    ...xreg,
    ...(xreg && { return_backcast: false }),
  };
  return {
    series: seriesOf(input),
    horizon: horizon ?? hparams?.horizon_len ?? longest,
    quantiles: DECILES,
    options: { ...flags, ...own },
  };
};

const forecast = async (model: OpenModel, one: Case, own: Flags): Promise<Answer[]> =>
  (await model.forecast(taskOf(one, own))).forecasts.map(wholeAnswer);

const compareOuter = async (model: OpenModel, one: Case): Promise<Comparison[]> => {
  const { expected, rtol, atol, atol_per_series } = one;
  const points = await forecast(model, one, {});
  const means = await forecast(model, one, { point_forecast_mode: 'mean' });
  return points.flatMap((point, i) => {
    const tolerance = { rtol, atol: atol_per_series?.[i] ?? atol };
    // Series whose covariates end sooner have a shorter forecast.
    const steps = expected.point[i]!.length;
    const got = channels(means[i]!, point).slice(0, steps);
    return [
      compare(
        `series ${i} point`,
        Array.from(point.mean).slice(0, steps),
        expected.point[i],
        tolerance,
      ),
      ...(expected.quantiles
        ? [compare(`series ${i} quantiles`, got, expected.quantiles[i], tolerance)]
        : []),
    ];
  });
};

/** Names of the files -> names of the model's inner points and outputs. */
const PROBES: Readonly<Record<string, string>> = {
  point_head_last: 'point',
  quantile_head_last: 'spread',
  head_last: 'point',
};

/** Mean and deviation of all values up to the end of each patch, [series][patches] each. */
const patchMoments = ({ inputs, config }: Case['input'], patches: number): Moments => {
  const length = Number(config?.max_context);
  const moments = inputs.map((values) =>
    runningMoments(windowOf(values as readonly number[], length), length / patches),
  );
  return {
    patch_mu: moments.map((row) => row.map(({ mu }) => mu)),
    patch_sigma: moments.map((row) => row.map(({ sigma }) => sigma)),
  };
};

/** Inner points of the first pass; the continuous head runs only where it is asked for. */
const compareInner = async (folder: string, one: Case): Promise<Comparison[]> => {
  const { debug } = one.expected;
  if (!debug) return [];
  await using model = await openModel(folder, { threads: 1, inspect: true });
  await model.forecast(taskOf(one, { use_continuous_quantile_head: true }));
  const { patch_mu } = debug as { patch_mu?: readonly (readonly number[])[] };
  const moments: Moments = patch_mu ? patchMoments(one.input, patch_mu[0]!.length) : {};
  const { length } = one.input.inputs;
  return Object.entries(debug).map(([name, want]) => {
    const got = moments[name] ?? model.inspected.get(PROBES[name] ?? name)?.data ?? [];
    // The reference fills its batch with copies of the last series.
    return compare(name, got, (want as readonly unknown[]).slice(0, length), INNER_TOLERANCE);
  });
};

/** Forecasts with all flags and covariates; inner points of the case that gives them. */
export const timesfm: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<Comparison[]> => [
    ...(await compareOuter(model, one)),
    ...(await compareInner(folder, one)),
  ];
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
