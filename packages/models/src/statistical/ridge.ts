/** Linear least squares with a pull towards given coefficients, by Cholesky's decomposition. */

/** Sums over rows of w x x' (upper triangle, row-major [p * p]) and w x z ([p]). */
export interface Moments {
  readonly products: Float64Array;
  readonly targets: Float64Array;
}

export const emptyMoments = (p: number): Moments => ({
  products: new Float64Array(p * p),
  targets: new Float64Array(p),
});

/** Adds the row rows[at ... at + p) with target z and weight w. */
export const addRow = (
  { products, targets }: Moments,
  rows: Float64Array,
  at: number,
  z: number,
  w: number,
): void => {
  const p = targets.length;
  for (let i = 0; i < p; i++) {
    const wx = w * rows[at + i]!;
    targets[i]! += wx * z;
    for (let j = i; j < p; j++) products[i * p + j]! += wx * rows[at + j]!;
  }
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
  const p = targets.length;
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
