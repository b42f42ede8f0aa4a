import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '@tollama/models';
import { lowerMedianOfPaths } from '@tollama/models/sample-paths';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

interface Case {
  readonly name: string;
  readonly input: {
    readonly series: readonly (readonly number[])[];
    readonly prediction_length: number;
    readonly num_samples: number;
    readonly noise: readonly (readonly (readonly number[])[])[];
    readonly revin?: boolean;
  };
  readonly expected: {
    readonly samples: readonly number[][][];
    readonly median: readonly number[][];
    readonly mean: readonly number[][];
    readonly intermediates?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
}

const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };

const taskOf = ({ series, prediction_length, ...options }: Case['input']) => ({
  series: series.map((values, i) => ({ id: String(i), targets: [values] })),
  horizon: prediction_length,
  quantiles: [],
  options,
});

/** Sample paths from given noise, their median and mean; inner points of the case that gives them. */
export const sundial: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const inner = async (one: Case): Promise<Comparison[]> => {
    const { note: _, ...wanted } = one.expected.intermediates ?? {};
    if (Object.keys(wanted).length === 0) return [];
    await using inspected = await openModel(folder, { threads: 1, inspect: true });
    await inspected.forecast(taskOf(one.input));
    return Object.entries(wanted).map(([name, want]) =>
      compare(name, inspected.inspected.get(name)?.data ?? [], want, INNER_TOLERANCE),
    );
  };
  const run = async (one: Case): Promise<Comparison[]> => {
    const { input, expected, rtol, atol } = one;
    const { forecasts } = await model.forecast(taskOf(input));
    const outer = forecasts.flatMap(({ targets: [forecast] }, i) => {
      const samples = forecast!.samples as readonly Float32Array[];
      const tolerance = { rtol, atol };
      return [
        compare(`series ${i} samples`, samples, expected.samples[i], tolerance),
        compare(`series ${i} median`, lowerMedianOfPaths(samples), expected.median[i], tolerance),
        compare(`series ${i} mean`, forecast!.mean, expected.mean[i], tolerance),
      ];
    });
    return [...outer, ...(await inner(one))];
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
