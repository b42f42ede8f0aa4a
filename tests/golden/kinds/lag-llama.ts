import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelSeries, type OpenModel, openModel } from '@tollama/models';
import type { Config } from '@tollama/models/families/lag-llama/config';
import { rowOf } from '@tollama/models/families/lag-llama/forecast';
import { headOf, type NextValue } from '@tollama/models/families/lag-llama/heads';
import { rollOut } from '@tollama/models/families/lag-llama/roll-out';
import { timeFeatures } from '@tollama/models/families/lag-llama/time-features';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

interface Case {
  readonly name: string;
  readonly input: {
    readonly mode: 'greedy' | 'paths';
    readonly context_length: number;
    readonly prediction_length: number;
    readonly batch: readonly {
      readonly start: string;
      readonly freq: string;
      readonly target: readonly (number | null)[];
    }[];
    readonly use_kv_cache?: boolean;
    readonly paths?: number;
    /** Standardised draws [batch * paths][step]. */
    readonly z?: readonly (readonly number[])[];
    /** Levels of an implicit head [batch * paths][step]. */
    readonly levels?: readonly (readonly number[])[];
  };
  readonly expected: {
    /** [row][step] each, by the names of the head's outputs. */
    readonly [parameter: string]: unknown;
    readonly loc: readonly number[][];
    readonly scale: readonly number[][];
    readonly mean?: readonly number[][];
    readonly samples?: readonly number[][][];
    readonly intermediates?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_params: number;
  readonly atol_per_series?: readonly number[];
  readonly atol_rows?: readonly number[];
}

/** Levels are given, so nothing is drawn. */
const NO_SOURCE = { uniform: () => Number.NaN, normal: () => Number.NaN };

const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };

const seriesOf = ({ batch }: Case['input']): ModelSeries[] =>
  batch.map(({ start, freq, target }, i) => ({
    id: String(i),
    start,
    freq,
    targets: [Float64Array.from(target, (value) => value ?? Number.NaN)],
  }));

/** What is told of each row and step of a roll-out along means, or along the draws of the case. */
const follow = async (model: OpenModel, { input }: Case) => {
  const c = model.config as Config;
  const head = headOf(c);
  const { prediction_length: horizon, paths = 1, z, levels } = input;
  const rows = seriesOf(input).map((one) => rowOf(one, input.context_length, c));
  const told = rows.flatMap(() => Array.from({ length: paths }, (): NextValue[] => []));
  const values = await rollOut(model.run, c, {
    rows,
    paths,
    horizon,
    useCache: input.use_kv_cache ?? false,
    level: (row, path, step) => levels![row * paths + path]![step]!,
    next: (value, row, path, step) => {
      const at = row * paths + path;
      told[at]!.push(value);
      const { parameters, affine } = value;
      const { p_loc, p_scale } = parameters;
      if (z) return (p_loc! + p_scale! * z[at]![step]!) * affine.scale + affine.loc;
      return head.isImplicit ? head.draw(value, NO_SOURCE) : head.mean(value);
    },
  });
  return { told, values };
};

/** Rows of numbers as the calendar of the first series gives them. */
const calendarPart = (name: string, want: unknown, model: OpenModel, { input }: Case) => {
  const c = model.config as Config;
  const [row] = seriesOf(input).map((one) => rowOf(one, input.context_length, c));
  const { calendar, firstPeriod, window } = row!;
  const count = (want as unknown[][])[0]!.length;
  const end = firstPeriod + input.context_length;
  const from = name.startsWith('future')
    ? end
    : name.includes('first')
      ? end - window.length
      : end - count;
  return timeFeatures(calendar, from, count);
};

/** One token of [1, tokens, features]: the first or the last one. */
const tokenOf = (data: Float32Array, size: number, which: 'first' | 'last'): Float32Array =>
  which === 'first' ? data.subarray(0, size) : data.subarray(data.length - size);

const innerPoints = async (folder: string, one: Case): Promise<Comparison[]> => {
  const { note: _, ...wanted } = one.expected.intermediates ?? {};
  if (Object.keys(wanted).length === 0) return [];
  await using model = await openModel(folder, { threads: 1, inspect: true });
  await follow(model, one);
  const pointOf = (name: string, want: unknown): ArrayLike<number> => {
    if (name.includes('time_feat')) return calendarPart(name, want, model, one);
    const match = /^transformer_input_(first|last)$/.exec(name);
    const probe = model.inspected.get(match ? 'transformer_input' : name);
    const data = (probe?.data ?? new Float32Array()) as Float32Array;
    return match ? tokenOf(data, probe!.dims.at(-1)!, match[1] as 'first' | 'last') : data;
  };
  return Object.entries(wanted).map(([name, want]) =>
    compare(name, pointOf(name, want), want, INNER_TOLERANCE),
  );
};

/** Parameters, scalers and values along means or given draws; inner points of the case that gives them. */
export const lagLlama: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<Comparison[]> => {
    const { expected, rtol, atol, atol_params } = one;
    const { told, values } = await follow(model, one);
    const perSeries = (row: number): number =>
      (one.atol_per_series ?? one.atol_rows)?.[Math.floor(row / (one.input.paths ?? 1))] ?? atol;
    const comparisons = told.flatMap((steps, row) => {
      const parameters = { rtol, atol: atol_params };
      const raw = { rtol, atol: perSeries(row) };
      const column = (pick: (value: NextValue) => number): number[] => steps.map(pick);
      return [
        ...headOf(model.config as Config).outputs.map((name) =>
          compare(
            `row ${row} ${name}`,
            column((value) => value.parameters[name]!),
            (expected[name] as readonly number[][])[row],
            parameters,
          ),
        ),
        compare(
          `row ${row} loc`,
          column(({ affine }) => affine.loc),
          expected.loc[row],
          raw,
        ),
        compare(
          `row ${row} scale`,
          column(({ affine }) => affine.scale),
          expected.scale[row],
          raw,
        ),
      ];
    });
    const want = expected.samples ?? expected.mean?.map((row) => [row]);
    values.forEach((paths, b) => {
      const tolerance = { rtol, atol: perSeries(b * paths.length) };
      comparisons.push(compare(`series ${b} values`, paths, want?.[b], tolerance));
    });
    return [...comparisons, ...(await innerPoints(folder, one))];
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
