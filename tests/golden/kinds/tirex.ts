import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '@tollama/models';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Row = readonly (number | null)[];

interface Case {
  readonly name: string;
  readonly input: {
    readonly series: readonly Row[];
    readonly prediction_length: number;
    readonly max_accelerated_rollout_steps?: number;
    readonly resample_strategy?: string;
  };
  readonly expected: {
    readonly quantile_levels: readonly number[];
    /** With the cell in float32. */
    readonly quantiles: readonly number[][][];
    readonly mean: readonly number[][];
    /** With the reference's cell, which rounds to bfloat16. */
    readonly quantiles_bf16?: readonly number[][][];
    readonly intermediates?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_bf16?: number;
}

const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };

const taskOf = (
  { series, prediction_length, ...options }: Case['input'],
  levels: readonly number[],
) => ({
  series: series.map((values, i) => ({
    id: String(i),
    targets: [Float64Array.from(values, (value) => value ?? Number.NaN)],
  })),
  horizon: prediction_length,
  quantiles: levels,
  options,
});

/** [levels][horizon] -> [horizon][levels] */
const byStep = (rows: readonly ArrayLike<number>[]): number[][] =>
  Array.from({ length: rows[0]!.length }, (_, h) => rows.map((row) => row[h]!));

/** A pass over the whole context: with its padding written out, no token is skipped. */
const inspect = async (folder: string, { input, expected }: Case): Promise<Comparison[]> => {
  const { note: _, ...wanted } = expected.intermediates!;
  await using model = await openModel(folder, { threads: 1, inspect: true });
  const padded = input.series.map((values): Row => {
    const missing = model.capabilities.contextLength! - values.length;
    return [...new Array<null>(Math.max(0, missing)).fill(null), ...values];
  });
  await model.forecast(taskOf({ ...input, series: padded }, []));
  return Object.entries(wanted).map(([name, want]) =>
    compare(name, model.inspected.get(name)?.data ?? [], want, INNER_TOLERANCE),
  );
};

/** Quantile forecasts of a list of series; inner points of the case that gives them. */
export const tirex: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<Comparison[]> => {
    const { input, expected, rtol, atol, atol_bf16 } = one;
    const { forecasts } = await model.forecast(taskOf(input, expected.quantile_levels));
    const outer = forecasts.flatMap(({ targets: [forecast] }, i) => {
      const got = byStep(forecast!.quantiles);
      const rounded = expected.quantiles_bf16?.[i];
      return [
        compare(`series ${i} quantiles`, got, expected.quantiles[i], { rtol, atol }),
        compare(`series ${i} mean`, forecast!.mean, expected.mean[i], { rtol, atol }),
        ...(rounded
          ? [compare(`series ${i} quantiles_bf16`, got, rounded, { rtol, atol: atol_bf16! })]
          : []),
      ];
    });
    return expected.intermediates ? [...outer, ...(await inspect(folder, one))] : outer;
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
