import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '@tollama/models';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

interface Case {
  readonly name: string;
  readonly input: {
    readonly contexts: readonly (readonly (number | null)[])[];
    readonly prediction_length: number;
    readonly quantile_levels: readonly number[];
  };
  readonly expected: {
    readonly quantiles: readonly (readonly number[][])[];
    readonly mean: readonly number[][];
    readonly intermediates?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_per_series?: readonly number[];
}

/** [levels][horizon] -> [horizon][levels] */
const byStep = (rows: readonly ArrayLike<number>[]): number[][] =>
  Array.from({ length: rows[0]?.length ?? 0 }, (_, h) => rows.map((row) => row[h]!));

/** Names of the files -> names of the probes. */
const PROBES: Readonly<Record<string, string>> = { embed: 'encoder_final' };
const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };

/** Univariate quantile forecasts of a list of contexts; inner points of the case that gives them. */
export const chronosBolt: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1, inspect: true });
  const text = await readFile(join(folder, 'cases.json'), 'utf8');
  const cases = JSON.parse(text) as readonly Case[];
  const run = async ({
    input,
    expected,
    rtol,
    atol,
    atol_per_series,
  }: Case): Promise<Comparison[]> => {
    const series = input.contexts.map((context, i) => ({
      id: String(i),
      targets: [Float64Array.from(context, (value) => value ?? Number.NaN)],
    }));
    const task = {
      series,
      horizon: input.prediction_length,
      quantiles: input.quantile_levels,
      options: {},
    };
    const { forecasts } = await model.forecast(task);
    const comparisons = forecasts.flatMap(({ targets: [forecast] }, i) => {
      const tolerance = { rtol, atol: atol_per_series?.[i] ?? atol };
      return [
        compare(
          `series ${i} quantiles`,
          byStep(forecast!.quantiles),
          expected.quantiles[i],
          tolerance,
        ),
        compare(`series ${i} mean`, forecast!.mean, expected.mean[i], tolerance),
      ];
    });
    for (const [name, want] of Object.entries(expected.intermediates ?? {})) {
      const got = model.inspected.get(PROBES[name] ?? name);
      comparisons.push(compare(name, got?.data ?? [], want, INNER_TOLERANCE));
    }
    return comparisons;
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
