/** Symmetric positive definite systems, by Cholesky; rows of Float64Array. */
import { TollamaError } from '@tollama/core/errors';

export type Matrix = readonly Float64Array[];

/** Lower triangle L with L L' = a; a small ridge is added where rounding made it indefinite. */
const cholesky = (a: Matrix): Float64Array[] => {
  const n = a.length;
  const largest = a.reduce((most, row, i) => Math.max(most, row[i]!), 0);
  const l = a.map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i]![j]!;
      for (let k = 0; k < j; k++) sum -= l[i]![k]! * l[j]![k]!;
      if (i !== j) l[i]![j] = sum / l[j]![j]!;
      else l[i]![i] = Math.sqrt(Math.max(sum, 1e-12 * largest));
    }
  }
  return l;
};

/** Solves a x = b for the columns of b [n][m]. */
export const solve = (a: Matrix, b: Matrix): Float64Array[] => {
  if (a.length !== b.length) {
    throw new TollamaError('INTERNAL', `a system of ${a.length} rows with ${b.length} right sides`);
  }
  const l = cholesky(a);
  const n = a.length;
  const x = b.map((row) => row.slice());
  const width = b[0]?.length ?? 0;
  for (let c = 0; c < width; c++) {
    for (let i = 0; i < n; i++) {
      let sum = x[i]![c]!;
      for (let k = 0; k < i; k++) sum -= l[i]![k]! * x[k]![c]!;
      x[i]![c] = sum / l[i]![i]!;
    }
    for (let i = n - 1; i >= 0; i--) {
      let sum = x[i]![c]!;
      for (let k = i + 1; k < n; k++) sum -= l[k]![i]! * x[k]![c]!;
      x[i]![c] = sum / l[i]![i]!;
    }
  }
  return x;
};

/** a [n][k] times b [k][m]. */
export const multiply = (a: Matrix, b: Matrix): Float64Array[] =>
  a.map((row) => {
    const out = new Float64Array(b[0]?.length ?? 0);
    row.forEach((value, k) => {
      if (value === 0) return;
      b[k]!.forEach((other, m) => {
        out[m]! += value * other;
      });
    });
    return out;
  });

export const transpose = (a: Matrix): Float64Array[] =>
  Array.from({ length: a[0]?.length ?? 0 }, (_, m) => Float64Array.from(a, (row) => row[m]!));
