/** What stands for missing values of a window, as the reference's `impute_method` has it. */

/** "fill": a fixed value (0); "forward_fill": the last known one; "linear": straight lines, flat at both ends. */
export type ImputeMethod = 'fill' | 'forward_fill' | 'linear';

export const IMPUTE_METHODS = [
  'fill',
  'forward_fill',
  'linear',
] as const satisfies readonly ImputeMethod[];

const carriedForward = (row: Float32Array): Float32Array => {
  let known = Number.NaN;
  return row.map((value) => {
    if (!Number.isNaN(value)) known = value;
    return known;
  });
};

const joined = (row: Float32Array): Float32Array => {
  const filled = row.slice();
  let known = -1;
  for (let i = 0; i <= row.length; i++) {
    if (i < row.length && Number.isNaN(row[i]!)) continue;
    const after = row[i] ?? row[known];
    const before = row[known] ?? after;
    for (let gap = known + 1; gap < i && after !== undefined; gap++) {
      filled[gap] = before! + ((after - before!) * (gap - known)) / (i - known);
    }
    known = i;
  }
  return filled;
};

/**
 * The row without missing values, as far as the method knows any; NaN stays where it does not, and is read
 * as 0.
 *
 * @example
 * imputed(Float32Array.of(Number.NaN, 1, Number.NaN, 3), 'linear'); // [1, 1, 2, 3]
 */
export const imputed = (row: Float32Array, method: ImputeMethod): Float32Array => {
  switch (method) {
    case 'fill':
      return row;
    case 'forward_fill':
      return carriedForward(row);
    case 'linear':
      return joined(row);
  }
};
