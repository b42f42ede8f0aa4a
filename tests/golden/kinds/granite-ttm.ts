import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenModel, openModel } from '@tollama/models';
import { exogenousChannels, type TtmConfig } from '@tollama/models/families/granite-ttm/config';
import {
  callModel,
  rollOut,
  type TtmForecast,
  type TtmWindow,
} from '@tollama/models/families/granite-ttm/windows';
import { type Comparison, compare, type Tolerance } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Value = number | null;
/** [batch][time][channels] */
type Cube = readonly (readonly (readonly Value[])[])[];

interface Call {
  readonly op: 'forward' | 'rollout';
  readonly past_values: Cube;
  readonly past_observed_mask?: Cube;
  readonly future_values?: Cube;
  readonly freq_token?: readonly number[];
  readonly static_categorical_values?: readonly (readonly number[])[];
  readonly horizon?: number;
  readonly config_override?: Readonly<Record<string, unknown>>;
}

interface Pipeline {
  readonly op: 'pipeline';
  readonly freq: string;
  readonly scaling: boolean;
  readonly columns: readonly string[];
  readonly series: readonly { readonly id: string; readonly values: Cube[number] }[];
}

interface PipelineRow {
  readonly id: string;
  readonly forecast: Readonly<Record<string, readonly number[]>>;
  readonly quantiles?: Readonly<Record<string, readonly number[]>>;
}

interface Case {
  readonly name: string;
  readonly input: Call | Pipeline;
  readonly expected: {
    readonly prediction_outputs?: Cube;
    readonly quantile_outputs?: readonly Cube[];
    readonly loc?: Cube;
    readonly scale?: Cube;
    readonly intermediate?: Readonly<Record<string, unknown>>;
    readonly rows?: readonly PipelineRow[];
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_rows?: readonly number[];
}

/** The files' numbers are float32 in few digits. */
const channel = (rows: Cube[number], i: number): Float32Array =>
  Float32Array.from(rows, (step) => step[i] ?? Number.NaN);

const channels = (rows: Cube[number]): Float32Array[] =>
  Array.from(rows[0] ?? [], (_, i) => channel(rows, i));

/** null is missing; where there is one, or a mask, the model is called with a mask. */
const windowsOf = (call: Call, c: TtmConfig): TtmWindow[] => {
  const hasMissing = call.past_values.some((rows) => rows.some((step) => step.includes(null)));
  const isMasked = hasMissing || call.past_observed_mask !== undefined || call.op === 'rollout';
  return call.past_values.map((rows, b) => {
    const values = channels(rows);
    const mask = call.past_observed_mask?.[b];
    const ones = values.map((row) => new Uint8Array(row.length).fill(1));
    return {
      values,
      observed: isMasked ? (mask ? channels(mask) : ones) : undefined,
      future:
        call.future_values &&
        exogenousChannels(c).map((i) =>
          channel(call.future_values![b]!, i).map((value) => value || 0),
        ),
      frequency: call.freq_token?.[b],
      categories: call.static_categorical_values?.[b],
    };
  });
};

/** [channels][time] -> [time][channels] */
const byStep = (rows: readonly ArrayLike<number>[]): number[][] =>
  Array.from({ length: rows[0]?.length ?? 0 }, (_, t) => rows.map((row) => row[t]!));

/** [channels][levels][time] -> [levels][time][channels] */
const byLevel = (channelsOfLevels: TtmForecast['quantiles']): number[][][] =>
  (channelsOfLevels[0] ?? []).map((_, q) => byStep(channelsOfLevels.map((levels) => levels[q]!)));

const compareRow = (forecast: TtmForecast, b: number, one: Case): Comparison[] => {
  const { expected } = one;
  const tolerance = { rtol: one.rtol, atol: one.atol_rows?.[b] ?? one.atol };
  const given: [string, unknown, unknown][] = [
    ['prediction_outputs', byStep(forecast.point), expected.prediction_outputs?.[b]],
    ['quantile_outputs', byLevel(forecast.quantiles), expected.quantile_outputs?.[b]],
    ['loc', forecast.loc, expected.loc?.[b]],
    ['scale', forecast.scale, expected.scale?.[b]],
  ];
  return given
    .filter(([, , want]) => want !== undefined)
    .map(([name, got, want]) => compare(`row ${b} ${name}`, got, want, tolerance));
};

/** The files hold the first batch row of each inner point. */
const compareInner = (model: OpenModel, one: Case, batch: number): Comparison[] =>
  Object.entries(one.expected.intermediate ?? {}).map(([name, want]) => {
    const data = model.inspected.get(name)?.data as Float32Array | undefined;
    const first = data?.subarray(0, data.length / batch) ?? [];
    return compare(name, first, want, { rtol: 1e-4, atol: one.atol });
  });

const runCall = async (model: OpenModel, call: Call, one: Case): Promise<Comparison[]> => {
  const c = model.config as TtmConfig;
  const windows = windowsOf(call, c);
  const forecasts =
    call.op === 'rollout'
      ? await rollOut(model.run, c, windows, call.horizon!)
      : await callModel(model.run, c, windows);
  return [
    ...forecasts.flatMap((forecast, b) => compareRow(forecast, b, one)),
    ...compareInner(model, one, windows.length),
  ];
};

/** The part of a quantile column's name that is its level: y_q0.1 */
const levelOf = (column: string): number => Number(column.slice(column.lastIndexOf('_q') + 2));

const runPipeline = async (model: OpenModel, call: Pipeline, one: Case): Promise<Comparison[]> => {
  const rows = one.expected.rows!;
  const levels = [...new Set(Object.keys(rows[0]?.quantiles ?? {}).map(levelOf))];
  const { forecasts } = await model.forecast({
    series: call.series.map(({ id, values }) => ({
      id,
      targets: channels(values),
      freq: call.freq,
    })),
    horizon: Object.values(rows[0]!.forecast)[0]!.length,
    quantiles: levels,
    options: { scaling: call.scaling },
  });
  const tolerance: Tolerance = { rtol: one.rtol, atol: one.atol };
  return rows.flatMap((row) => {
    const { targets } = forecasts[call.series.findIndex(({ id }) => id === row.id)]!;
    return call.columns.flatMap((column, i) => [
      compare(`${row.id} ${column}`, targets[i]!.mean, row.forecast[column], tolerance),
      ...levels.map((level, q) => {
        const name = `${column}_q${level}`;
        const want = row.quantiles![name];
        return compare(`${row.id} ${name}`, targets[i]!.quantiles[q], want, tolerance);
      }),
    ]);
  });
};

/** The same weights under a config with some keys changed. */
const openOverridden = async (
  folder: string,
  override: Readonly<Record<string, unknown>>,
): Promise<OpenModel> => {
  const changed = await mkdtemp(join(tmpdir(), 'tollama-golden-'));
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  await writeFile(join(changed, 'config.json'), JSON.stringify({ ...config, ...override }));
  await copyFile(join(folder, 'model.safetensors'), join(changed, 'model.safetensors'));
  const model = await openModel(changed, { threads: 1 });
  const close = () => model[Symbol.asyncDispose]();
  return {
    ...model,
    [Symbol.asyncDispose]: () => close().then(() => rm(changed, { recursive: true })),
  };
};

/** Calls of the model on tensors, recursive roll-outs, and the pipeline around them. */
export const graniteTtm: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<Comparison[]> => {
    const { input } = one;
    if (input.op === 'pipeline') return runPipeline(model, input, one);
    if (input.config_override) {
      await using changed = await openOverridden(folder, input.config_override);
      return await runCall(changed, input, one);
    }
    if (!one.expected.intermediate) return runCall(model, input, one);
    await using inspecting = await openModel(folder, { threads: 1, inspect: true });
    return await runCall(inspecting, input, one);
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
