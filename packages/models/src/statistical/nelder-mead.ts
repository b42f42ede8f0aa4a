/**
 * Nelder and Mead's downhill simplex ("A simplex method for function minimization", 1965) inside a box:
 * points outside are moved to its wall. Deterministic; stops after `evaluations`.
 */
export interface Box {
  readonly lower: readonly number[];
  readonly upper: readonly number[];
}

export interface Minimum {
  readonly point: readonly number[];
  readonly value: number;
}

/** Of the value, below which vertices count as equal. */
const TOLERANCE = 1e-7;
const FIRST_WIDTH = 0.25;

/** The lowest point that was found, inside of the box; what is not finite counts as the largest number. */
export const minimize = (
  objective: (point: readonly number[]) => number,
  start: readonly number[],
  box: Box,
  evaluations: number,
): Minimum => {
  let spent = 0;
  const evaluate = (free: readonly number[]): Minimum => {
    spent++;
    const point = free.map((x, i) => Math.min(box.upper[i]!, Math.max(box.lower[i]!, x)));
    const value = objective(point);
    return { point, value: Number.isFinite(value) ? value : Number.MAX_VALUE };
  };
  let best = evaluate(start);
  // Moved to a wall, a simplex can fall flat before it is at the minimum: begin again around its best.
  for (let width = FIRST_WIDTH; spent < evaluations; width /= 2) {
    const simplex = [best, ...neighboursOf(best.point, box, width).map(evaluate)];
    while (spent < evaluations) {
      simplex.sort((a, b) => a.value - b.value);
      if (isCollapsed(simplex)) break;
      stepOf(simplex, evaluate);
    }
    const found = simplex.reduce((a, b) => (b.value < a.value ? b : a));
    const isDone = best.value - found.value <= TOLERANCE * Math.abs(best.value);
    best = found;
    if (isDone && width < FIRST_WIDTH) break;
  }
  return best;
};

/** One point moved along each axis by a share of the box's width, to the side with room. */
const neighboursOf = (point: readonly number[], { lower, upper }: Box, share: number): number[][] =>
  point.map((x, i) => {
    const step = share * (upper[i]! - lower[i]!);
    const moved = x + step <= upper[i]! ? x + step : x - step;
    return point.map((other, j) => (i === j ? moved : other));
  });

const isCollapsed = (simplex: readonly Minimum[]): boolean => {
  const best = simplex[0]!;
  const worst = simplex[simplex.length - 1]!;
  return worst.value - best.value <= TOLERANCE * (Math.abs(best.value) + 1e-12);
};

/** Reflects, expands, contracts or shrinks a sorted simplex in place. */
const stepOf = (simplex: Minimum[], evaluate: (point: readonly number[]) => Minimum): void => {
  const last = simplex.length - 1;
  const worst = simplex[last]!;
  const center = worst.point.map(
    (_, i) => simplex.slice(0, last).reduce((sum, v) => sum + v.point[i]!, 0) / last,
  );
  const along = (t: number): Minimum =>
    evaluate(center.map((x, i) => x + t * (worst.point[i]! - x)));
  const reflected = along(-1);
  if (reflected.value < simplex[0]!.value) {
    const expanded = along(-2);
    simplex[last] = expanded.value < reflected.value ? expanded : reflected;
  } else if (reflected.value < simplex[last - 1]!.value) {
    simplex[last] = reflected;
  } else {
    const contracted = along(reflected.value < worst.value ? -0.5 : 0.5);
    if (contracted.value < Math.min(worst.value, reflected.value)) {
      simplex[last] = contracted;
      return;
    }
    const best = simplex[0]!.point;
    for (let v = 1; v <= last; v++) {
      simplex[v] = evaluate(simplex[v]!.point.map((x, i) => best[i]! + 0.5 * (x - best[i]!)));
    }
  }
};
