/** Natural cubic spline (a cubic B-spline with its knots at the known points). */

/** Second derivatives at the knots; 0 at both ends. Solves the tridiagonal system by elimination. */
const secondDerivatives = (x: readonly number[], y: readonly number[]): Float64Array => {
  const n = x.length;
  const second = new Float64Array(n);
  const carried = new Float64Array(n);
  for (let i = 1; i < n - 1; i++) {
    const left = x[i]! - x[i - 1]!;
    const right = x[i + 1]! - x[i]!;
    const share = left / (left + right);
    const pivot = share * second[i - 1]! + 2;
    second[i] = (share - 1) / pivot;
    const bend = (y[i + 1]! - y[i]!) / right - (y[i]! - y[i - 1]!) / left;
    carried[i] = ((6 * bend) / (left + right) - share * carried[i - 1]!) / pivot;
  }
  for (let i = n - 2; i > 0; i--) second[i] = second[i]! * second[i + 1]! + carried[i]!;
  second[0] = 0;
  return second;
};

/**
 * A smooth curve through the points.
 *
 * @param x ascending, at least two
 * @returns value at a place between the first and the last x
 */
export const cubicSpline = (
  x: readonly number[],
  y: readonly number[],
): ((at: number) => number) => {
  const second = secondDerivatives(x, y);
  return (at) => {
    let low = 0;
    let high = x.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (x[middle]! > at) high = middle;
      else low = middle;
    }
    const width = x[high]! - x[low]!;
    const a = (x[high]! - at) / width;
    const b = (at - x[low]!) / width;
    const bend = (a ** 3 - a) * second[low]! + (b ** 3 - b) * second[high]!;
    return a * y[low]! + b * y[high]! + (bend * width * width) / 6;
  };
};
