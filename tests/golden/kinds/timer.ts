import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '@tollama/models';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

interface Case {
  readonly name: string;
  readonly input: {
    readonly series: readonly (readonly number[])[];
    readonly prediction_length: number;
    readonly revin?: boolean;
    readonly use_cache?: boolean;
  };
  readonly expected: {
    readonly point: readonly number[][];
    readonly intermediates?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
}

/** Names of the files -> names of the probes. */
const PROBES: Readonly<Record<string, string>> = { head: 'head0' };
const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };

const taskOf = ({ series, prediction_length, ...options }: Case['input']) => ({
  series: series.map((values, i) => ({ id: String(i), targets: [values] })),
  horizon: prediction_length,
  quantiles: [],
  options,
});

/** Point forecasts of a list of series; inner points of the first pass of the case that gives them. */
export const timer: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const inner = async (one: Case): Promise<Comparison[]> => {
    const { note: _, ...wanted } = one.expected.intermediates ?? {};
    if (Object.keys(wanted).length === 0) return [];
    await using inspected = await openModel(folder, { threads: 1, inspect: true });
    await inspected.forecast(taskOf(one.input));
    return Object.entries(wanted).map(([name, want]) => {
      const got = inspected.inspected.get(PROBES[name] ?? name);
      return compare(name, got?.data ?? [], want, INNER_TOLERANCE);
    });
  };
  const run = async (one: Case): Promise<Comparison[]> => {
    const { input, expected, rtol, atol } = one;
    const { forecasts } = await model.forecast(taskOf(input));
    const points = forecasts.map(({ targets: [forecast] }, i) =>
      compare(`series ${i}`, forecast!.mean, expected.point[i], { rtol, atol }),
    );
    return [...points, ...(await inner(one))];
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
