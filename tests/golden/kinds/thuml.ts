/** Sundial and Timer: lists of series, a forecast of each, inner points in the cases that give them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel, type TargetForecast } from '@tollama/models';
import { type Comparison, compare, type Tolerance } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

interface Case<Expected> {
  readonly name: string;
  /** What is not named here are options. */
  readonly input: {
    readonly series: readonly (readonly number[])[];
    readonly prediction_length: number;
  };
  readonly expected: Expected & { readonly intermediates?: Readonly<Record<string, unknown>> };
  readonly rtol: number;
  readonly atol: number;
}

interface Design<Expected> {
  readonly compareForecast: (
    forecast: TargetForecast,
    expected: Expected,
    series: number,
    tolerance: Tolerance,
  ) => readonly Comparison[];
  /** Inner points whose probes are called otherwise. */
  readonly probes?: Readonly<Record<string, string>>;
}

const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };

const taskOf = ({ series, prediction_length, ...options }: Case<unknown>['input']) => ({
  series: series.map((values, i) => ({ id: String(i), targets: [values] })),
  horizon: prediction_length,
  quantiles: [],
  options,
});

/** Forecasts of all series of a case; inner points are those of the first pass. */
export const thumlKind =
  <Expected>({ compareForecast, probes = {} }: Design<Expected>): GoldenKind =>
  async (folder) => {
    const model = await openModel(folder, { threads: 1 });
    const text = await readFile(join(folder, 'cases.json'), 'utf8');
    const inner = async ({ input, expected }: Case<Expected>): Promise<Comparison[]> => {
      const { note: _, ...wanted } = expected.intermediates ?? {};
      if (Object.keys(wanted).length === 0) return [];
      await using inspected = await openModel(folder, { threads: 1, inspect: true });
      await inspected.forecast(taskOf(input));
      return Object.entries(wanted).map(([name, want]) => {
        const got = inspected.inspected.get(probes[name] ?? name);
        return compare(name, got?.data ?? [], want, INNER_TOLERANCE);
      });
    };
    const run = async (one: Case<Expected>): Promise<Comparison[]> => {
      const { forecasts } = await model.forecast(taskOf(one.input));
      const outer = forecasts.flatMap(({ targets: [forecast] }, i) =>
        compareForecast(forecast!, one.expected, i, one),
      );
      return [...outer, ...(await inner(one))];
    };
    const cases = JSON.parse(text) as readonly Case<Expected>[];
    return {
      cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
      [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    };
  };
