/** Least squares with a ridge: the whole learning of the first learned policy. */

/** Solves a x = b for a symmetric positive definite a, by Cholesky's factors. Row-major; a and b are used up. */
const solve = (a: Float64Array, b: Float64Array): Float64Array => {
  const n = b.length;
  for (let j = 0; j < n; j++) {
    for (let k = 0; k < j; k++) a[j * n + j]! -= a[j * n + k]! ** 2;
    a[j * n + j] = Math.sqrt(a[j * n + j]!);
    for (let i = j + 1; i < n; i++) {
      for (let k = 0; k < j; k++) a[i * n + j]! -= a[i * n + k]! * a[j * n + k]!;
      a[i * n + j]! /= a[j * n + j]!;
    }
  }
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) b[i]! -= a[i * n + k]! * b[k]!;
    b[i]! /= a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) b[i]! -= a[k * n + i]! * b[k]!;
    b[i]! /= a[i * n + i]!;
  }
  return b;
};

/** The weights w that minimise |X w - y|^2 + penalty |w|^2. */
export const ridge = (
  rows: readonly (readonly number[])[],
  targets: readonly number[],
  penalty: number,
): readonly number[] => {
  const width = rows[0]?.length ?? 0;
  const a = new Float64Array(width * width);
  const b = new Float64Array(width);
  rows.forEach((row, r) => {
    for (let i = 0; i < width; i++) {
      b[i]! += row[i]! * targets[r]!;
      for (let j = 0; j < width; j++) a[i * width + j]! += row[i]! * row[j]!;
    }
  });
  for (let i = 0; i < width; i++) a[i * width + i]! += penalty;
  return [...solve(a, b)];
};
