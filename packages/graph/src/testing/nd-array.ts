/** Plain nested-loop arithmetic on arrays of any rank: the reference that operators are held to in tests. */

export interface NdArray {
  readonly dims: readonly number[];
  /** Row-major. */
  readonly data: readonly number[];
}

export const nd = (dims: readonly number[], data: readonly number[]): NdArray => ({ dims, data });

const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** The index of the place-th element. */
const indexOf = (place: number, dims: readonly number[]): number[] => {
  const index = new Array<number>(dims.length);
  let rest = place;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    index[axis] = rest % dims[axis]!;
    rest = Math.floor(rest / dims[axis]!);
  }
  return index;
};

/** An array made element by element. */
export const build = (
  dims: readonly number[],
  element: (index: readonly number[]) => number,
): NdArray => ({
  dims,
  data: Array.from({ length: sizeOf(dims) }, (_, place) => element(indexOf(place, dims))),
});

/** An element as numpy broadcasts: surplus leading axes are ignored, axes of size 1 repeat. */
export const at = ({ dims, data }: NdArray, index: readonly number[]): number => {
  const own = index.slice(index.length - dims.length);
  return data[dims.reduce((place, size, i) => place * size + (size === 1 ? 0 : own[i]!), 0)]!;
};

export const broadcastDims = (...all: readonly (readonly number[])[]): number[] => {
  const rank = Math.max(...all.map((dims) => dims.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = all.map((dims) => dims[dims.length - rank + i] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
};

/** f of each element of arrays that broadcast. */
export const elementwise = (
  f: (...values: number[]) => number,
  ...arrays: readonly NdArray[]
): NdArray =>
  build(broadcastDims(...arrays.map(({ dims }) => dims)), (index) =>
    f(...arrays.map((array) => at(array, index))),
  );

/** All values along an axis through one element. */
export const along = (x: NdArray, index: readonly number[], axis: number): number[] =>
  Array.from({ length: x.dims[axis]! }, (_, i) => at(x, index.with(axis, i)));

/** f of each line along an axis, and of the element's place in it. */
export const linewise = (
  x: NdArray,
  axis: number,
  f: (line: number[], place: number) => number,
): NdArray => build(x.dims, (index) => f(along(x, index, axis), index[axis]!));

/** f of all values that the axes span; the axes stay with size 1. */
export const reduceAxes = (
  x: NdArray,
  axes: readonly number[],
  f: (values: number[]) => number,
): NdArray => {
  const spans = axes.map((axis) => x.dims[axis]!);
  const kept = x.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return build(kept, (index) => {
    const values = build(spans, (inner) =>
      at(
        x,
        axes.reduce<readonly number[]>((full, axis, i) => full.with(axis, inner[i]!), index),
      ),
    );
    return f([...values.data]);
  });
};

export const permute = (x: NdArray, permutation: readonly number[]): NdArray =>
  build(
    permutation.map((axis) => x.dims[axis]!),
    (index) =>
      at(
        x,
        permutation.map((_, axis) => index[permutation.indexOf(axis)]!),
      ),
  );

/** a [..., m, k] . b [..., k, n] */
export const multiply = (a: NdArray, b: NdArray): NdArray => {
  const [m, k, n] = [a.dims.at(-2)!, a.dims.at(-1)!, b.dims.at(-1)!];
  const batch = broadcastDims(a.dims.slice(0, -2), b.dims.slice(0, -2));
  return build([...batch, m, n], (index) => {
    const [lead, i, j] = [index.slice(0, -2), index.at(-2)!, index.at(-1)!];
    let total = 0;
    for (let l = 0; l < k; l++) total += at(a, [...lead, i, l]) * at(b, [...lead, l, j]);
    return total;
  });
};

export const softmaxOf = (line: readonly number[], place: number): number => {
  const largest = Math.max(...line);
  const weights = line.map((value) => Math.exp(value - largest));
  return weights[place]! / weights.reduce((a, b) => a + b, 0);
};

/** The error function by its Taylor series; float64's noise stays below 1e-9 for |x| <= 4. */
export const erfOf = (x: number): number => {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; n < 100; n++) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
};

/** Half to even. */
export const roundOf = (x: number): number => {
  const below = Math.floor(x);
  if (x - below !== 0.5) return Math.round(x);
  return below % 2 === 0 ? below : below + 1;
};

/** Splits heads apart by indexing: query [b, s, h*k], key [b, t, h*k], value [b, t, h*v], bias to [b, h, s, t]. */
export const attentionOf = (
  [query, key, value]: readonly [NdArray, NdArray, NdArray],
  options: { heads: number; scale: number; bias?: NdArray },
): NdArray => {
  const { heads, scale, bias } = options;
  const [b, s] = query.dims as [number, number];
  const width = query.dims[2]! / heads;
  const valueWidth = value.dims[2]! / heads;
  const t = key.dims[1]!;
  const scores = build([b, heads, s, t], ([i, h, q, k]) => {
    let dot = 0;
    for (let j = 0; j < width; j++) {
      dot += at(query, [i!, q!, h! * width + j]) * at(key, [i!, k!, h! * width + j]);
    }
    return dot * scale + (bias ? at(bias, [i!, h!, q!, k!]) : 0);
  });
  const weights = linewise(scores, 3, softmaxOf);
  return build([b, s, value.dims[2]!], ([i, q, column]) => {
    const head = Math.floor(column! / valueWidth);
    let mixed = 0;
    for (let k = 0; k < t; k++)
      mixed += at(weights, [i!, head, q!, k]) * at(value, [i!, k, column!]);
    return mixed;
  });
};
