/** Positive definite systems, dense. Matrices are rows of numbers. */

export type Matrix = readonly Float64Array[];

/** Lower factor of a symmetric matrix; undefined when it is not positive definite. */
export const cholesky = (matrix: Matrix): Matrix | undefined => {
  const n = matrix.length;
  const factor = Array.from({ length: n }, () => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = matrix[i]![j]!;
      for (let k = 0; k < j; k++) sum -= factor[i]![k]! * factor[j]![k]!;
      if (i === j) {
        if (!(sum > 0)) return undefined;
        factor[i]![i] = Math.sqrt(sum);
      } else factor[i]![j] = sum / factor[j]![j]!;
    }
  }
  return factor;
};

/** x of matrix * x = right, by the matrix' factor. */
export const solveWith = (factor: Matrix, right: ArrayLike<number>): Float64Array => {
  const n = factor.length;
  const x = Float64Array.from(right);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i]! -= factor[i]![k]! * x[k]!;
    x[i]! /= factor[i]![i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i]! -= factor[k]![i]! * x[k]!;
    x[i]! /= factor[i]![i]!;
  }
  return x;
};
