/** Linear regression by the pseudo-inverse of the normal equations. */

/** A matrix as rows. */
export type Matrix = readonly Float64Array[];

const MAX_SWEEPS = 60;
const CONVERGED = 1e-15;

/** Turns rows and columns p and q of a symmetric matrix so that its element (p, q) becomes 0. */
const turn = (a: Float64Array[], v: Float64Array[], p: number, q: number): void => {
  const off = a[p]![q]!;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * off);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[k]![p]!, a[k]![q]!];
    a[k]![p] = c * x - s * y;
    a[k]![q] = s * x + c * y;
  }
  for (let k = 0; k < a.length; k++) {
    const [x, y] = [a[p]![k]!, a[q]![k]!];
    a[p]![k] = c * x - s * y;
    a[q]![k] = s * x + c * y;
    const [e, f] = [v[k]![p]!, v[k]![q]!];
    v[k]![p] = c * e - s * f;
    v[k]![q] = s * e + c * f;
  }
};

/** Eigenvalues and, as columns, eigenvectors of a symmetric matrix, by Jacobi's rotations. */
export const symmetricEigen = (
  matrix: Matrix,
): { readonly values: Float64Array; readonly vectors: Matrix } => {
  const n = matrix.length;
  const a = matrix.map((row) => Float64Array.from(row));
  const vectors = a.map((_, i) => Float64Array.from({ length: n }, (_, j) => (i === j ? 1 : 0)));
  for (let sweep = 0; sweep < MAX_SWEEPS; sweep++) {
    let isDone = true;
    for (let p = 0; p < n; p++) {
      for (let q = p + 1; q < n; q++) {
        const size = Math.sqrt(Math.abs(a[p]![p]! * a[q]![q]!));
        if (Math.abs(a[p]![q]!) <= CONVERGED * size || a[p]![q] === 0) continue;
        isDone = false;
        turn(a, vectors, p, q);
      }
    }
    if (isDone) break;
  }
  return { values: Float64Array.from(a, (row, i) => row[i]!), vectors };
};

/** float32's step at 1: the reference solves in float32, and cuts off what that cannot tell from 0. */
const FLOAT32_STEP = 2 ** -23;

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};

/**
 * b = pinv(X'X + ridge I) X'y. Directions whose eigenvalue is below 10 * columns * eps of the largest one
 * take no part; the reference pads the columns to a power of two before it counts them.
 *
 * @param rows of X
 */
export const leastSquares = (
  rows: readonly ArrayLike<number>[],
  targets: ArrayLike<number>,
  ridge: number,
): Float64Array => {
  const n = rows[0]?.length ?? 0;
  const gram = Array.from({ length: n }, () => new Float64Array(n));
  const moment = new Float64Array(n);
  rows.forEach((row, r) => {
    for (let i = 0; i < n; i++) {
      moment[i]! += row[i]! * targets[r]!;
      for (let j = 0; j < n; j++) gram[i]![j]! += row[i]! * row[j]!;
    }
  });
  for (let i = 0; i < n; i++) gram[i]![i]! += ridge;
  const { values, vectors } = symmetricEigen(gram);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const cutOff = 10 * 2 ** Math.ceil(Math.log2(n)) * FLOAT32_STEP * largest;
  const solution = new Float64Array(n);
  values.forEach((value, k) => {
    if (Math.abs(value) <= cutOff) return;
    const direction = Float64Array.from(vectors, (row) => row[k]!);
    const along = dot(direction, moment) / value;
    direction.forEach((component, i) => {
      solution[i]! += along * component;
    });
  });
  return solution;
};

/** The value of the regression for each row; 0 of one that had no rows to fit. */
export const predict = (rows: readonly ArrayLike<number>[], solution: Float64Array): Float64Array =>
  Float64Array.from(rows, (row) => dot(solution, row));
