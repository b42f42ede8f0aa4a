import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelSeries, openModel, type Task } from '@tollama/models';
import { Config } from '@tollama/models/families/toto2/config';
import { optionsOf } from '@tollama/models/families/toto2/options';
import { panelOf } from '@tollama/models/families/toto2/panel';
import { patchStatistics } from '@tollama/models/families/toto2/patch-scaler';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Rows = readonly (readonly (number | null)[])[];

interface Case {
  readonly name: string;
  readonly input: {
    readonly series: readonly Rows[];
    readonly series_ids?: readonly (readonly number[])[];
    readonly imputation?: string;
    readonly known_dynamic?: readonly Rows[];
    readonly horizon: number;
    readonly options: Readonly<Record<string, unknown>>;
  };
  readonly expected: {
    /** [batch][variate][level][horizon] */
    readonly quantiles: readonly (readonly (readonly number[][])[])[];
    readonly debug?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
}

const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** Names of the files -> names of the probes, where they differ. */
const PROBES: Readonly<Record<string, string>> = {
  patch_proj_input_context: 'patch_proj_input',
  patch_proj_output_context: 'patch_proj_output',
};

/** Numbers with NaN where missing, padded on the left to a length. */
const padded = (row: readonly (number | null)[], length: number): Float64Array => {
  const numbers = new Float64Array(length).fill(Number.NaN);
  numbers.set(
    row.map((value) => value ?? Number.NaN),
    length - row.length,
  );
  return numbers;
};

/** The reference gets a batch of one length, padded as missing. */
const seriesOf = ({ series, known_dynamic, horizon }: Case['input']): ModelSeries[] => {
  const longest = Math.max(...series.flatMap((rows) => rows.map((row) => row.length)));
  return series.map((rows, b) => {
    const known = (known_dynamic?.[b] ?? []).map((row) => padded(row, longest + horizon));
    const named = (part: (row: Float64Array) => Float64Array) =>
      Object.fromEntries(known.map((row, i) => [`known${i}`, part(row)]));
    return {
      id: String(b),
      targets: rows.map((row) => padded(row, longest)),
      pastCovariates: named((row) => row.subarray(0, longest)),
      futureCovariates: named((row) => row.subarray(longest)),
    };
  });
};

const taskOf = ({ input }: Case): Task => ({
  series: seriesOf(input),
  horizon: input.horizon,
  quantiles: LEVELS,
  options: {
    ...input.options,
    ...(input.imputation && { imputation: input.imputation }),
    ...(input.series_ids && { series_ids: input.series_ids }),
  },
});

/** What the scaler finds for all patches of the first pass. */
const statisticsOf = (task: Task, config: Config): Readonly<Record<string, number[]>> => {
  const options = optionsOf(task, config.patch_size);
  const places = task.series.map((_, i) => i);
  const panel = panelOf(task.series, places, task.horizon, config, options);
  const found = panel.values.map((row, r) =>
    patchStatistics(row, panel.observed[r]!, config.patch_size, options.scaler_fallback_min_obs),
  );
  return {
    patch_loc: found.flatMap(({ loc }) => [...loc]),
    patch_scale: found.flatMap(({ scale }) => [...scale]),
  };
};

const countOf = (nested: unknown): number => (nested as unknown[]).flat(9).length;

/** Quantile forecasts of panels; inner points of the case that gives them. */
export const toto2: GoldenKind = async (folder) => {
  const read = async (name: string): Promise<unknown> =>
    JSON.parse(await readFile(join(folder, name), 'utf8'));
  const cases = (await read('cases.json')) as readonly Case[];
  const config = Config.parse(await read('config.json'));
  const open = () => openModel(folder, { threads: 1, inspect: true });
  const run = async (one: Case): Promise<Comparison[]> => {
    const { expected, rtol, atol } = one;
    await using model = await open();
    const task = taskOf(one);
    const { forecasts } = await model.forecast(task);
    const comparisons = forecasts.flatMap(({ targets }, b) =>
      targets.flatMap(({ quantiles, mean }, v) => {
        const want = expected.quantiles[b]![v]!;
        return [
          compare(`series ${b} variate ${v} quantiles`, quantiles, want, { rtol, atol }),
          compare(`series ${b} variate ${v} mean`, mean, want[4], { rtol, atol }),
        ];
      }),
    );
    for (const [name, want] of Object.entries(expected.debug ?? {})) {
      const probe = model.inspected.get(PROBES[name] ?? name)?.data;
      // Inner points of the context stand before those of the horizon.
      const inner = probe && Array.from(probe as Float32Array).slice(0, countOf(want));
      const got = inner ?? statisticsOf(task, config)[name] ?? [];
      comparisons.push(compare(name, got, want, { rtol, atol }));
    }
    return comparisons;
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: async () => {},
  };
};
