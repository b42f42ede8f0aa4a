/** Linear least squares with a pull towards given coefficients, by Cholesky's decomposition. */

/** Sums over rows of w x x' (upper triangle, row-major [p * p]) and w x z ([p]). */
export interface Moments {
  readonly products: Float64Array;
  readonly targets: Float64Array;
}

/** columns [p * count], feature by feature; targets and weights [count]; every `step`-th row is used. */
export const momentsOf = (
  columns: Float64Array,
  targets: Float64Array,
  weights: Float64Array,
  step = 1,
): Moments => {
  const count = targets.length;
  const p = count > 0 ? columns.length / count : 0;
  const moments = { products: new Float64Array(p * p), targets: new Float64Array(p) };
  const weighted = new Float64Array(count);
  for (let i = 0; i < p; i++) {
    const from = i * count;
    let sum = 0;
    for (let k = 0; k < count; k += step) {
      const value = weights[k]! * columns[from + k]!;
      weighted[k] = value;
      sum += value * targets[k]!;
    }
    moments.targets[i] = sum;
    weightedDots(weighted, columns, i, step, moments.products);
  }
  return moments;
};

/** Row i of the products from its diagonal on; four columns at once, so that no addition waits for another. */
const weightedDots = (
  weighted: Float64Array,
  columns: Float64Array,
  i: number,
  step: number,
  products: Float64Array,
): void => {
  const count = weighted.length;
  const p = columns.length / count;
  let j = i;
  for (; j + 4 <= p; j += 4) {
    const from = j * count;
    const second = from + count;
    const third = second + count;
    const fourth = third + count;
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    for (let k = 0; k < count; k += step) {
      const weight = weighted[k]!;
      a += weight * columns[from + k]!;
      b += weight * columns[second + k]!;
      c += weight * columns[third + k]!;
      d += weight * columns[fourth + k]!;
    }
    const at = i * p + j;
    products[at] = a;
    products[at + 1] = b;
    products[at + 2] = c;
    products[at + 3] = d;
  }
  for (; j < p; j++) products[i * p + j] = weightedDot(weighted, columns, j * count, step);
};

const weightedDot = (
  weighted: Float64Array,
  columns: Float64Array,
  from: number,
  step: number,
): number => {
  const count = weighted.length;
  let even = 0;
  let odd = 0;
  let k = 0;
  // Two sums at once: one addition need not wait for the one before it.
  for (; k + step < count; k += 2 * step) {
    even += weighted[k]! * columns[from + k]!;
    odd += weighted[k + step]! * columns[from + k + step]!;
  }
  return k < count ? even + odd + weighted[k]! * columns[from + k]! : even + odd;
};

/**
 * The coefficients b that minimise sum w (z - x b)^2 + sum_i penalty_i s_i (b_i - prior_i)^2, where s_i is the
 * sum of w x_i^2: the penalty is a share of the column's own size, whatever its scale.
 */
export const ridge = (
  { products, targets }: Moments,
  prior: ArrayLike<number>,
  penalties: ArrayLike<number>,
): Float64Array => {
  const p = prior.length;
  if (targets.length === 0) return Float64Array.from(prior);
  const factor = products.slice();
  const solution = targets.slice();
  let largest = 0;
  for (let i = 0; i < p; i++) largest = Math.max(largest, products[i * p + i]!);
  for (let i = 0; i < p; i++) {
    const extra = penalties[i]! * products[i * p + i]! + 1e-9 * largest + 1e-300;
    factor[i * p + i]! += extra;
    solution[i]! += extra * prior[i]!;
  }
  for (let i = 0; i < p; i++) {
    for (let j = i; j < p; j++) {
      let sum = factor[i * p + j]!;
      for (let k = 0; k < i; k++) sum -= factor[k * p + i]! * factor[k * p + j]!;
      factor[i * p + j] = j === i ? Math.sqrt(Math.max(sum, 1e-300)) : sum / factor[i * p + i]!;
    }
    let sum = solution[i]!;
    for (let k = 0; k < i; k++) sum -= factor[k * p + i]! * solution[k]!;
    solution[i] = sum / factor[i * p + i]!;
  }
  for (let i = p - 1; i >= 0; i--) {
    let sum = solution[i]!;
    for (let k = i + 1; k < p; k++) sum -= factor[i * p + k]! * solution[k]!;
    solution[i] = sum / factor[i * p + i]!;
  }
  return solution;
};
