/**
 * Weights that minimise the pinball loss of the weighted average on forecasts whose outcome is known:
 * exponentiated gradient on the simplex, the best iterate kept. Deterministic.
 */
import { TollamaError } from '@tollama/core/errors';
import type { SeriesForecast } from '../backend/backend.ts';

/** One past forecast by all members. */
export interface StackingCase {
  /** [horizon], NaN where missing. */
  readonly actual: ArrayLike<number>;
  /** One for each member, in the same order everywhere. */
  readonly members: readonly SeriesForecast[];
  /** Losses are divided by it, so that large series do not decide alone; 1 when absent. */
  readonly scale?: number;
}

export interface Stacking {
  /** One for each member; they sum to 1. */
  readonly weights: readonly number[];
  readonly loss: number;
  /** Loss of each member by itself. */
  readonly memberLosses: readonly number[];
  readonly equalLoss: number;
}

const ITERATIONS = 300;

interface Point {
  readonly actual: number;
  readonly level: number;
  /** [members] */
  readonly values: readonly number[];
  readonly weight: number;
}

const pointsOf = (cases: readonly StackingCase[], levels: readonly number[]): Point[] =>
  cases.flatMap(({ actual, members, scale = 1 }) =>
    levels.flatMap((level, l) =>
      Array.from(actual).flatMap((value, h): Point[] =>
        Number.isFinite(value)
          ? [
              {
                actual: value,
                level,
                values: members.map(({ quantiles, mean }) => (quantiles[l] ?? mean)[h]!),
                weight: scale > 0 ? 1 / scale : 0,
              },
            ]
          : [],
      ),
    ),
  );

const mixed = ({ values }: Point, weights: readonly number[]): number =>
  values.reduce((sum, value, m) => sum + value * weights[m]!, 0);

const pinball = (miss: number, level: number): number => (miss >= 0 ? level : level - 1) * miss;

const lossOf = (points: readonly Point[], weights: readonly number[]): number =>
  points.reduce(
    (sum, point) => sum + point.weight * pinball(point.actual - mixed(point, weights), point.level),
    0,
  ) / points.length;

const gradientOf = (points: readonly Point[], weights: readonly number[]): number[] => {
  const gradient = weights.map(() => 0);
  for (const point of points) {
    const slope = point.actual >= mixed(point, weights) ? -point.level : 1 - point.level;
    point.values.forEach((value, m) => {
      gradient[m]! += (point.weight * slope * value) / points.length;
    });
  }
  return gradient;
};

const normalized = (weights: readonly number[]): number[] => {
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((weight) => weight / sum);
};

/**
 * @throws TollamaError INVALID_REQUEST without a case whose outcome is known
 * @example
 * const { weights } = stackWeights(cases, [0.1, 0.5, 0.9]);
 * averageForecasts(members, weights);
 */
export const stackWeights = (
  cases: readonly StackingCase[],
  levels: readonly number[],
): Stacking => {
  const points = pointsOf(cases, levels);
  const count = cases[0]?.members.length ?? 0;
  if (points.length === 0 || count === 0) {
    throw new TollamaError('INVALID_REQUEST', 'no past forecast has a known outcome to stack by', {
      hint: 'give at least one window of the history',
    });
  }
  const alone = Array.from({ length: count }, (_, m) =>
    Array.from({ length: count }, (_unused, k) => (k === m ? 1 : 0)),
  );
  const even = normalized(new Array<number>(count).fill(1));
  let weights = even;
  let best = { weights, loss: lossOf(points, weights) };
  for (const corner of alone) {
    const loss = lossOf(points, corner);
    if (loss < best.loss) best = { weights: corner, loss };
  }
  for (let i = 1; i <= ITERATIONS; i++) {
    const gradient = gradientOf(points, weights);
    // A level that all members share moves nothing.
    const center = gradient.reduce((sum, value, m) => sum + value * weights[m]!, 0);
    const size = Math.max(...gradient.map((value) => Math.abs(value - center)), 1e-300);
    const rate = 1 / (size * Math.sqrt(i));
    weights = normalized(
      weights.map((weight, m) =>
        Math.max(1e-12, weight * Math.exp(-rate * (gradient[m]! - center))),
      ),
    );
    const loss = lossOf(points, weights);
    if (loss < best.loss) best = { weights, loss };
  }
  return {
    weights: best.weights,
    loss: best.loss,
    memberLosses: alone.map((corner) => lossOf(points, corner)),
    equalLoss: lossOf(points, even),
  };
};
