/** Where a series breaks: the place at which two straight lines fit it much better than one. */

export interface ChangePoint {
  /** The first value after the break. */
  readonly index: number;
  readonly kind: 'shift' | 'trend_break';
  /** Jump of the level at the break, in the series' units. */
  readonly jump: number;
  /** Change of the slope. */
  readonly bend: number;
  /** Jump (or bend over the later part) in deviations of what the lines leave. */
  readonly size: number;
}

/** Needed improvement (an F statistic, its maximum over all places), and needed size in deviations. */
const LEAST_IMPROVEMENT = 25;
const LEAST_SIZE = 3;
const LEAST_POINTS = 5;

/** Prefix sums of 1, t, t^2, y, t*y, y^2 around the middle, for fits of any stretch in constant time. */
const prefixSums = (values: Float64Array) => {
  const n = values.length;
  const [t1, t2, y1, ty, y2] = Array.from({ length: 5 }, () => new Float64Array(n + 1)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const middle = (n - 1) / 2;
  for (let i = 0; i < n; i++) {
    const t = i - middle;
    const y = values[i]!;
    t1[i + 1] = t1[i]! + t;
    t2[i + 1] = t2[i]! + t * t;
    y1[i + 1] = y1[i]! + y;
    ty[i + 1] = ty[i]! + t * y;
    y2[i + 1] = y2[i]! + y * y;
  }
  return { t1, t2, y1, ty, y2, middle };
};

interface Fit {
  readonly slope: number;
  readonly intercept: number;
  readonly squares: number;
}

const fitOf = (sums: ReturnType<typeof prefixSums>, from: number, end: number): Fit => {
  const n = end - from;
  const of = (prefix: Float64Array): number => prefix[end]! - prefix[from]!;
  const [t1, t2, y1, ty, y2] = [of(sums.t1), of(sums.t2), of(sums.y1), of(sums.ty), of(sums.y2)];
  const spread = t2 - (t1 * t1) / n;
  const product = ty - (t1 * y1) / n;
  const slope = spread > 0 ? product / spread : 0;
  const squares = Math.max(0, y2 - (y1 * y1) / n - slope * product);
  return { slope, intercept: (y1 - slope * t1) / n, squares };
};

/** Correlation of neighbours in what the two lines leave: it makes breaks look surer than they are. */
const persistence = (values: Float64Array, at: number, before: Fit, after: Fit, middle: number) => {
  let product = 0;
  let total = 0;
  let last = 0;
  for (let i = 0; i < values.length; i++) {
    const { slope, intercept } = i < at ? before : after;
    const rest = values[i]! - intercept - slope * (i - middle);
    product += rest * last;
    total += rest * rest;
    last = rest;
  }
  return total > 0 ? Math.min(0.99, Math.max(0, product / total)) : 0;
};

/** The one clear break of values without gaps and without wild points; undefined where there is none. */
export const findChangePoint = (values: Float64Array): ChangePoint | undefined => {
  const n = values.length;
  const margin = Math.max(LEAST_POINTS, Math.floor(n / 10));
  if (n < 2 * margin + 2) return undefined;
  const sums = prefixSums(values);
  const whole = fitOf(sums, 0, n);
  let best: { at: number; before: Fit; after: Fit; squares: number } | undefined;
  for (let at = margin; at <= n - margin; at++) {
    const [before, after] = [fitOf(sums, 0, at), fitOf(sums, at, n)];
    const squares = before.squares + after.squares;
    if (!best || squares < best.squares) best = { at, before, after, squares };
  }
  if (!best || whole.squares <= 1e-12 * sums.y2[n]!) return undefined;
  const { at, before, after } = best;
  const left = Math.max(best.squares, 1e-12 * whole.squares);
  const rho = persistence(values, at, before, after, sums.middle);
  const improvement = ((whole.squares - left) / 2 / (left / (n - 4))) * ((1 - rho) / (1 + rho));
  const noise = Math.sqrt(left / (n - 4));
  const jump =
    after.intercept - before.intercept + (after.slope - before.slope) * (at - sums.middle);
  const bend = after.slope - before.slope;
  const [jumpSize, bendSize] = [Math.abs(jump) / noise, (Math.abs(bend) * (n - at)) / noise];
  const size = Math.max(jumpSize, bendSize);
  if (improvement < LEAST_IMPROVEMENT || size < LEAST_SIZE) return undefined;
  return { index: at, kind: jumpSize >= bendSize ? 'shift' : 'trend_break', jump, bend, size };
};
