import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Average,
  type Fans,
  iqrWeighted,
  linearPool,
  vincentize,
} from '@tollama/models/ensemble/aggregation';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

interface Case {
  readonly name: string;
  readonly input: {
    readonly op: 'linear' | 'vincent' | 'iqr';
    /** [sample][step][target][quantile][model] */
    readonly predictions: readonly (readonly (readonly (readonly (number | null)[][])[])[])[];
    readonly quantile_levels: readonly number[];
    readonly weights: readonly number[] | null;
    readonly aggregation?: Average;
    readonly temperature?: number;
    readonly max_weight?: number | null;
  };
  readonly expected: { readonly quantiles: unknown; readonly point: unknown };
  readonly rtol: number;
  readonly atol: number;
}

/** [quantile][model] -> [model][quantile] */
const fansOf = (point: readonly (readonly (number | null)[])[]): Fans =>
  point[0]!.map((_, model) => point.map((row) => row[model] ?? Number.NaN));

const aggregate = (fans: Fans, { input }: Case): number[] => {
  const { op, quantile_levels: levels } = input;
  const weights = input.weights ?? undefined;
  switch (op) {
    case 'linear':
      return linearPool(fans, levels, weights);
    case 'vincent':
      return vincentize(fans, input.aggregation, weights);
    case 'iqr': {
      const { temperature = 1, max_weight } = input;
      return iqrWeighted(
        fans,
        levels,
        { temperature, maxWeight: max_weight ?? undefined },
        weights,
      );
    }
  }
};

/** Combinations of the fans of several models, point by point. */
export const graniteEnsemble: GoldenKind = async (folder) => {
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<Comparison[]> => {
    const { predictions, quantile_levels } = one.input;
    const combined = predictions.map((steps) =>
      steps.map((targets) => targets.map((point) => aggregate(fansOf(point), one))),
    );
    const median = quantile_levels.indexOf(0.5);
    const points = combined.map((steps) =>
      steps.map((targets) => targets.map((fan) => fan[median] ?? null)),
    );
    return [
      compare('quantiles', combined, one.expected.quantiles, one),
      ...(one.expected.point ? [compare('point', points, one.expected.point, one)] : []),
    ];
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    async [Symbol.asyncDispose]() {},
  };
};
