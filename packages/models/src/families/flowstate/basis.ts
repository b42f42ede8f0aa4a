/** The functions of time that FlowState's decoder combines. */

export const DECODER_TYPES = ['legs', 'hlegs', 'four'] as const;
export type DecoderType = (typeof DECODER_TYPES)[number];

/** Where a patch begins and ends in the functions' own time. */
const RANGE: Readonly<Record<DecoderType, readonly [number, number]>> = {
  legs: [-1, 0.95],
  hlegs: [0, 0.95],
  four: [0, 1],
};

/** All basis values are divided by it. */
const DIVISOR = 4;

/** Legendre polynomials P_0 ... P_{count-1} at t, by their three-term recurrence. */
const legendre = (t: number, count: number): number[] => {
  const values = [1, t];
  for (let n = 1; n + 1 < count; n++) {
    values.push(((2 * n + 1) * t * values[n]! - n * values[n - 1]!) / (n + 1));
  }
  return values.slice(0, count);
};

/** 1, sin 2 pi t, cos 2 pi t, sin 4 pi t, ... */
const fourier = (t: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => {
    const angle = 2 * Math.PI * Math.ceil(i / 2) * t;
    return i % 2 === 1 ? Math.sin(angle) : Math.cos(angle);
  });

export interface BasisRequest {
  readonly type: DecoderType;
  /** Number of functions. */
  readonly count: number;
  /** Points of a patch at scale 1. */
  readonly patchLength: number;
  readonly scale: number;
  /** Points asked for. */
  readonly points: number;
}

/** Values of all functions at the points after a step, [count, points]. */
export const basisFunctions = ({
  type,
  count,
  patchLength,
  scale,
  points,
}: BasisRequest): Float32Array => {
  const [start, end] = RANGE[type];
  const values = new Float32Array(count * points);
  for (let j = 0; j < points; j++) {
    const t = Math.max(start, start + ((j + 1) * scale * (end - start)) / patchLength);
    const at = type === 'four' ? fourier(t, count) : legendre(t, count);
    for (const [d, value] of at.entries()) values[d * points + j] = value / DIVISOR;
  }
  return values;
};
