/**
 * The discrete Fourier transform as matrix products: N = A * B points are A-point transforms, a twist,
 * and B-point transforms (Cooley & Tukey 1965), so that the constants stay small for the lengths that
 * occur (two matrices of about sqrt(N) rows where N has a divisor near there).
 */
import {
  add,
  concat,
  constant,
  type Dim,
  matmul,
  mul,
  rearrange,
  slice,
  sub,
  type Tensor,
  widthOf,
} from '@tollama/graph';

/** The largest divisor that is not above the square root. */
const smallerFactor = (length: number): number => {
  for (let factor = Math.floor(Math.sqrt(length)); factor > 1; factor--) {
    if (length % factor === 0) return factor;
  }
  return 1;
};

/** fn(2 pi i j / period) for i < rows, j < columns; the angle is reduced before it is rounded. */
const circle = (
  fn: (angle: number) => number,
  rows: number,
  columns: number,
  period: number,
): number[] =>
  Array.from({ length: rows * columns }, (_, at) => {
    const turn = (Math.floor(at / columns) * (at % columns)) % period;
    return fn((2 * Math.PI * turn) / period);
  });

const table = (values: readonly number[], rows: number): Tensor =>
  constant(values, 'float32', [rows, values.length / rows]);

const negated = (values: readonly number[]): number[] => values.map((value) => -value);

/** [[C, -S], [S, C]] on the right of [re | im] is a transform of complex rows. */
const complexRows = (size: number): Tensor => {
  const c = circle(Math.cos, size, size, size);
  const s = circle(Math.sin, size, size, size);
  const row = (values: readonly number[], i: number) => values.slice(i * size, (i + 1) * size);
  const left = Array.from({ length: size }, (_, i) => [...row(c, i), ...negated(row(s, i))]);
  const right = Array.from({ length: size }, (_, i) => [...row(s, i), ...row(c, i)]);
  return table([...left, ...right].flat(), 2 * size);
};

/**
 * |rfft(x)|^2 along the last axis, for the bins 0 ... floor(N / 2).
 * x [a, b, N] -> [a, b, floor(N / 2) + 1]
 */
export const powerSpectrum = (x: Tensor): Tensor => {
  const length = widthOf(x);
  const rows = smallerFactor(length);
  const columns = length / rows;
  const analysis = table(
    [...circle(Math.cos, rows, rows, rows), ...negated(circle(Math.sin, rows, rows, rows))],
    2 * rows,
  );
  const half = (y: Tensor, axis: number, size: Dim, second: boolean): Tensor =>
    slice(y, axis, second ? { start: size } : { end: size });
  const coarse = matmul(analysis, rearrange(x, 'a b (r c) -> a b r c', { r: rows }));
  const [re, im] = [half(coarse, 2, rows, false), half(coarse, 2, rows, true)];
  const cos = table(circle(Math.cos, rows, columns, length), rows);
  const sin = table(circle(Math.sin, rows, columns, length), rows);
  const twisted = concat([add(mul(re, cos), mul(im, sin)), sub(mul(im, cos), mul(re, sin))], -1);
  const fine = matmul(twisted, complexRows(columns));
  const power = add(
    ...([false, true].map((second) => {
      const part = half(fine, 3, columns, second);
      return mul(part, part);
    }) as [Tensor, Tensor]),
  );
  return slice(rearrange(power, 'a b r c -> a b (c r)'), -1, { end: Math.floor(length / 2) + 1 });
};
