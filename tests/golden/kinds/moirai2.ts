import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel } from '@tollama/models';
import { packTokens, tokenFeeds } from '@tollama/models/families/moirai/tokens';
import {
  forecastWindow,
  historyOf,
  imputeCausalMean,
  imputeZero,
} from '@tollama/models/families/moirai/windows';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';
import { inspectGraph } from './inspect-graph.ts';
import { byVariate, type Entry, seriesOf } from './moirai-series.ts';

interface Case {
  readonly name: string;
  readonly input: {
    readonly api: 'predict' | 'predictor';
    readonly context_length: number;
    readonly prediction_length: number;
    /** Of `predict`. */
    readonly series?: readonly Entry['target'][];
    /** Of `predictor`. */
    readonly batch?: readonly Entry[];
  };
  readonly expected: {
    readonly quantile_levels: readonly number[];
    readonly quantiles: readonly unknown[];
    readonly intermediates?: Readonly<Record<string, unknown>>;
  };
  readonly rtol: number;
  readonly atol: number;
  readonly atol_per_series?: readonly number[];
}

/** The files give about eight digits. */
const PACKED_TOLERANCE = { rtol: 1e-6, atol: 0 };
const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };
const PACKED: Readonly<Record<string, string>> = { observed_mask: 'observed' };

const entriesOf = ({ series = [], batch }: Case['input']): readonly Entry[] =>
  batch ?? series.map((target) => ({ target }));

/** The first pass over all tokens, as the reference packs them. */
const inspect = async (folder: string, { input, expected }: Case): Promise<Comparison[]> => {
  const { context_length: context, prediction_length: horizon } = input;
  const { patch_size: patch } = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  const [impute, padding] =
    input.api === 'predict'
      ? ([imputeZero, 'first value'] as const)
      : ([imputeCausalMean, 'unobserved zeros'] as const);
  const windows = entriesOf(input).map((entry, i) =>
    forecastWindow(historyOf(seriesOf(entry, String(i)), impute), { context, horizon, padding }),
  );
  const tokens = packTokens(windows, { patch });
  const feeds = tokenFeeds(tokens);
  const everywhere = BigInt64Array.from({ length: tokens.count }, (_, i) => BigInt(i));
  const inner = await inspectGraph(folder, 'forward', {
    ...feeds,
    read: { dtype: 'int64', dims: [tokens.count], data: everywhere },
  });
  const { packed, note: _, ...points } = expected.intermediates!;
  const flags = Object.entries(packed as Record<string, unknown>);
  return [
    ...flags.map(([name, want]) =>
      compare(name, feeds[PACKED[name] ?? name]?.data ?? [], want, PACKED_TOLERANCE),
    ),
    ...Object.entries(points).map(([name, want]) =>
      compare(name, inner[name]?.data ?? [], want, INNER_TOLERANCE),
    ),
  ];
};

/** Quantile forecasts by both routes of the reference; inner points of the case that gives them. */
export const moirai2: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<Comparison[]> => {
    const { input, expected, rtol, atol, atol_per_series } = one;
    const { forecasts } = await model.forecast({
      series: entriesOf(input).map((entry, i) => seriesOf(entry, String(i))),
      horizon: input.prediction_length,
      quantiles: expected.quantile_levels,
      options: { context_length: input.context_length, api: input.api },
    });
    const comparisons = forecasts.map(({ targets }, i) => {
      const got = expected.quantile_levels.map((_, level) =>
        byVariate(targets.map(({ quantiles }) => quantiles[level]!)),
      );
      const tolerance = { rtol, atol: atol_per_series?.[i] ?? atol };
      return compare(`series ${i} quantiles`, got, expected.quantiles[i], tolerance);
    });
    return expected.intermediates ? [...comparisons, ...(await inspect(folder, one))] : comparisons;
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
