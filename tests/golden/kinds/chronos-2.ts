import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Covariate, type ModelSeries, type OpenModel, openModel } from '@tollama/models';
import { Chronos2Config } from '@tollama/models/families/chronos-2/config';
import { encodeRows, forwardRows, type MaskedRow } from '@tollama/models/families/chronos-2/passes';
import { itemsOf } from '@tollama/models/families/chronos-2/rows';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Values = readonly (number | null)[];
type Column = readonly (number | string | boolean | null)[];

interface Dictionary {
  readonly target: Values | readonly Values[];
  readonly past_covariates?: Readonly<Record<string, Column>>;
  readonly future_covariates?: Readonly<Record<string, Column | null>>;
}

type GoldenSeries = Values | readonly Values[] | Dictionary;

interface PredictInput {
  readonly inputs: readonly GoldenSeries[];
  readonly prediction_length: number;
  readonly quantile_levels: readonly number[];
  readonly [option: string]: unknown;
}

interface ForwardInput {
  readonly context: readonly Values[];
  readonly context_mask?: readonly (readonly number[])[];
  readonly group_ids?: readonly number[];
  readonly future_covariates?: readonly Values[];
  readonly future_covariates_mask?: readonly (readonly number[])[];
  readonly num_output_patches?: number;
}

interface Rows {
  readonly context: readonly Values[];
  readonly future_covariates: readonly Values[];
  readonly group_ids: readonly number[];
}

interface Expected {
  readonly quantiles: readonly (readonly (readonly (readonly number[])[])[])[];
  readonly mean: readonly (readonly (readonly number[])[])[];
  readonly rows?: Rows;
  readonly intermediates?: Readonly<Record<string, unknown>>;
  readonly quantile_preds: readonly unknown[];
  readonly embeddings: readonly unknown[];
  readonly loc: readonly unknown[];
  readonly scale: readonly unknown[];
}

interface Case {
  readonly name: string;
  readonly call: 'predict_quantiles' | 'model_forward' | 'embed';
  readonly input: PredictInput & ForwardInput;
  readonly expected: Expected;
  readonly rtol: number;
  readonly atol: number;
  readonly atol_per_series?: readonly number[];
}

const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };
const EXACT = { rtol: 1e-6, atol: 0 };

const floats = (values: Values): Float32Array =>
  Float32Array.from(values, (value) => value ?? Number.NaN);

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Booleans are words; nulls among numbers are missing numbers. */
const columnOf = (values: Column): Covariate =>
  values.some((value) => typeof value === 'string' || typeof value === 'boolean')
    ? values.map((value) => (value === null ? null : String(value)))
    : floats(values as Values);

const columnsOf = (columns: Readonly<Record<string, Column | null>>): Record<string, Covariate> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, values]) => [name, columnOf(values ?? [])]),
  );

const targetsOf = (target: Values | readonly Values[]): Float32Array[] =>
  isList(target[0]) ? (target as readonly Values[]).map(floats) : [floats(target as Values)];

const seriesOf = (given: GoldenSeries, i: number): ModelSeries => {
  if (isList(given)) return { id: String(i), targets: targetsOf(given as Values) };
  const { target, past_covariates = {}, future_covariates = {} } = given as Dictionary;
  return {
    id: String(i),
    targets: targetsOf(target),
    pastCovariates: columnsOf(past_covariates),
    futureCovariates: columnsOf(future_covariates),
  };
};

/** [levels][horizon] -> [horizon][levels] */
const byStep = (rows: readonly ArrayLike<number>[]): number[][] =>
  Array.from({ length: rows[0]?.length ?? 0 }, (_, h) => rows.map((row) => row[h]!));

const tolerances =
  ({ rtol, atol, atol_per_series }: Case) =>
  (i: number) => ({ rtol, atol: atol_per_series?.[i] ?? atol });

/** The rows that the family encodes, against those of the reference, whose batch is padded. */
const compareRows = (series: readonly ModelSeries[], horizon: number, rows: Rows): Comparison[] => {
  const ours = itemsOf(series, horizon).flatMap((item) => item.rows);
  return ours.flatMap(({ context, future }, i) => {
    const want = rows.context[i]!;
    const padding = Array.from({ length: want.length - context.length }, () => Number.NaN);
    const unknown = Array.from({ length: horizon - future.length }, () => Number.NaN);
    return [
      compare(`row ${i} context`, [...padding, ...context], want, EXACT),
      compare(`row ${i} future`, [...future, ...unknown], rows.future_covariates[i], EXACT),
    ];
  });
};

const predict = async (model: OpenModel, one: Case): Promise<Comparison[]> => {
  const { inputs, prediction_length, quantile_levels, ...options } = one.input;
  const series = inputs.map(seriesOf);
  const task = { series, horizon: prediction_length, quantiles: quantile_levels, options };
  const { forecasts } = await model.forecast(task);
  const tolerance = tolerances(one);
  const { quantiles, mean, rows } = one.expected;
  const comparisons = forecasts.flatMap(({ targets }, i) => [
    compare(
      `item ${i} quantiles`,
      targets.map((t) => byStep(t.quantiles)),
      quantiles[i],
      tolerance(i),
    ),
    compare(
      `item ${i} mean`,
      targets.map((t) => t.mean),
      mean[i],
      tolerance(i),
    ),
  ]);
  return [...comparisons, ...(rows ? compareRows(series, prediction_length, rows) : [])];
};

/** The inner points of the reference's forward pass over the encoded rows. */
const inspectRows = async (folder: string, one: Case, config: Chronos2Config) => {
  await using model = await openGolden(folder, true);
  const { context, future_covariates, group_ids } = one.expected.rows!;
  const rows = context.map((values, i) => ({
    context: floats(values),
    future: floats(future_covariates[i]!),
  }));
  const patch = config.chronos_config.output_patch_size;
  const patches = Math.ceil(one.input.prediction_length / patch);
  await encodeRows(model.run, config, rows, group_ids, patches);
  await forwardRows(model.run, config, rows, group_ids, patches);
  return Object.entries(one.expected.intermediates!).map(([name, want]) =>
    compare(name, model.inspected.get(name)?.data ?? [], want, INNER_TOLERANCE),
  );
};

const forward = async (model: OpenModel, one: Case, config: Chronos2Config) => {
  const { input, expected } = one;
  const rows = input.context.map((context, i): MaskedRow => {
    const contextMask = input.context_mask?.[i];
    const futureMask = input.future_covariates_mask?.[i];
    return {
      context: floats(context),
      future: floats(input.future_covariates?.[i] ?? []),
      ...(contextMask && { contextMask }),
      ...(futureMask && { futureMask }),
    };
  });
  const ids = input.group_ids ?? rows.map((_, i) => i);
  const { data } = await forwardRows(model.run, config, rows, ids, input.num_output_patches ?? 1);
  const size = data.length / rows.length;
  const tolerance = tolerances(one);
  return rows.map((_, i) => {
    const got = data.subarray(i * size, (i + 1) * size);
    return compare(`row ${i} quantile_preds`, got, expected.quantile_preds[i], tolerance(i));
  });
};

const embed = async (model: OpenModel, one: Case): Promise<Comparison[]> => {
  const { inputs, ...options } = one.input;
  const embeddings = await model.embed({ series: inputs.map(seriesOf), options });
  const tolerance = tolerances(one);
  const { embeddings: states, loc, scale } = one.expected;
  return embeddings.flatMap((embedding, i) => [
    compare(`item ${i} states`, embedding.states.data, states[i], tolerance(i)),
    compare(`item ${i} loc`, embedding.loc, loc[i], tolerance(i)),
    compare(`item ${i} scale`, embedding.scale, scale[i], tolerance(i)),
  ]);
};

/** A folder that holds an adapter beside its base stands for the merged model. */
const openGolden = async (folder: string, inspect: boolean): Promise<OpenModel> => {
  const hasAdapter = await stat(join(folder, 'adapter_config.json')).catch(() => undefined);
  return openModel(folder, { threads: 1, inspect, adapter: hasAdapter ? folder : undefined });
};

export const chronos2: GoldenKind = async (folder) => {
  const model = await openGolden(folder, false);
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, name), 'utf8'));
  const config = Chronos2Config.parse(await read('config.json'));
  const run = async (one: Case): Promise<Comparison[]> => {
    switch (one.call) {
      case 'predict_quantiles':
        return [
          ...(await predict(model, one)),
          ...(one.expected.intermediates ? await inspectRows(folder, one, config) : []),
        ];
      case 'model_forward':
        return forward(model, one, config);
      case 'embed':
        return embed(model, one);
      default:
        throw new Error(`unknown call ${String(one.call)}`);
    }
  };
  const cases = (await read('cases.json')) as readonly Case[];
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
