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
  const simplex = [evaluate(start)];
  for (let i = 0; i < start.length; i++) {
    const width = box.upper[i]! - box.lower[i]!;
    const step = start[i]! + 0.25 * width <= box.upper[i]! ? 0.25 * width : -0.25 * width;
    simplex.push(evaluate(start.map((x, j) => (i === j ? x + step : x))));
  }
  while (spent < evaluations) {
    simplex.sort((a, b) => a.value - b.value);
    if (isCollapsed(simplex)) break;
    stepOf(simplex, evaluate);
  }
  return simplex.reduce((best, vertex) => (vertex.value < best.value ? vertex : best));
};

const isCollapsed = (simplex: readonly Minimum[]): boolean => {
  const best = simplex[0]!;
  const worst = simplex[simplex.length - 1]!;
  return worst.value - best.value <= 1e-7 * (Math.abs(best.value) + 1e-12);
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
