import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OpenModel, openModel } from '@tollama/models';
import type { PatchTstConfig } from '@tollama/models/families/patchtst-fm/config';
import {
  callModel,
  levelPlaces,
  type PatchTstForecast,
  type PatchTstRow,
} from '@tollama/models/families/patchtst-fm/windows';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

/** [batch][time][channels] */
type Cube = readonly (readonly (readonly (number | null)[])[])[];

interface Case {
  readonly name: string;
  readonly input: {
    readonly past_values: Cube;
    readonly past_observed_mask?: Cube;
    readonly pad_mask?: Cube;
    readonly list_input?: boolean;
    readonly prediction_length?: number;
    readonly quantile_levels?: readonly number[];
    readonly attn_window?: number;
  };
  readonly expected: {
    /** [batch][levels][time][channels] */
    readonly quantile_outputs: readonly Cube[];
    readonly prediction_outputs: Cube;
    readonly intermediate?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_rows?: readonly number[];
}

const column = (cube: Cube | undefined, b: number, channel: number): Float32Array | undefined =>
  cube && Float32Array.from(cube[b]!, (step) => step[channel] ?? Number.NaN);

/** Channels are independent rows. */
const rowsOf = ({ past_values, past_observed_mask, pad_mask }: Case['input']): PatchTstRow[] =>
  past_values.flatMap((steps, b) =>
    steps[0]!.map((_, channel) => ({
      values: column(past_values, b, channel)!,
      observed: column(past_observed_mask, b, channel),
      padded: column(pad_mask, b, channel),
    })),
  );

/** [channels][time] -> [time][channels] */
const byStep = (rows: readonly ArrayLike<number>[]): number[][] =>
  Array.from({ length: rows[0]!.length }, (_, t) => rows.map((row) => row[t]!));

const compareRow = (
  channels: readonly PatchTstForecast[],
  b: number,
  one: Case,
  places: readonly number[] | undefined,
): Comparison[] => {
  const { quantile_outputs, prediction_outputs } = one.expected;
  const tolerance = { rtol: one.rtol, atol: one.atol_rows?.[b] ?? one.atol };
  const all = channels[0]!.quantiles.map((_, q) => q);
  const quantiles = (places ?? all).map((q) => byStep(channels.map((x) => x.quantiles[q]!)));
  const means = byStep(channels.map(({ mean }) => mean));
  return [
    compare(`row ${b} quantiles`, quantiles, quantile_outputs[b], tolerance),
    compare(`row ${b} mean`, means, prediction_outputs[b], tolerance),
  ];
};

const count = (value: unknown): number =>
  Array.isArray(value) ? value.reduce((sum: number, part) => sum + count(part), 0) : 1;

/** The files hold the first row, and of most inner points its last three tokens. */
const compareInner = (model: OpenModel, one: Case, rows: number): Comparison[] =>
  Object.entries(one.expected.intermediate ?? {}).map(([name, want]) => {
    const data = (model.inspected.get(name)?.data ?? new Float32Array()) as Float32Array;
    const end = data.length / rows;
    const got = data.subarray(Math.max(0, end - count(want)), end);
    return compare(name, got, want, { rtol: one.rtol, atol: one.atol });
  });

/** Calls of the model on tensors and on lists of series. */
export const patchtstFm: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const runOn = async (opened: OpenModel, one: Case): Promise<Comparison[]> => {
    const c = opened.config as PatchTstConfig;
    const { input } = one;
    const rows = rowsOf(input);
    const forecasts = await callModel(opened.run, c, {
      rows,
      horizon: input.prediction_length ?? c.prediction_length,
      attentionWindow: input.attn_window,
      isPruned: !input.list_input,
    });
    const channels = rows.length / input.past_values.length;
    const places = input.quantile_levels && levelPlaces(c, input.quantile_levels);
    return [
      ...input.past_values.flatMap((_, b) =>
        compareRow(forecasts.slice(b * channels, (b + 1) * channels), b, one, places),
      ),
      ...compareInner(opened, one, rows.length),
    ];
  };
  const run = async (one: Case): Promise<Comparison[]> => {
    if (!one.expected.intermediate) return runOn(model, one);
    await using inspecting = await openModel(folder, { threads: 1, inspect: true });
    return await runOn(inspecting, one);
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
