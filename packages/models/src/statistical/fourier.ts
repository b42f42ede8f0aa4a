/** Radix-2 fast Fourier transform, in place. */

/** real and imaginary [n], n a power of two; exp(-2 pi i k t / n), no scaling. */
export const fourier = (real: Float64Array, imaginary: Float64Array): void => {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [real[i], real[j]] = [real[j]!, real[i]!];
    [imaginary[i], imaginary[j]] = [imaginary[j]!, imaginary[i]!];
  }
  for (let size = 2; size <= n; size *= 2) butterflies(real, imaginary, size);
};

/** Cosines and sines of one turn, by the size of the transform; a handful of sizes occur. */
const turns = new Map<number, Float64Array>();

const turnOf = (size: number): Float64Array => {
  const known = turns.get(size);
  if (known) return known;
  const turn = new Float64Array(size);
  for (let k = 0; k < size / 2; k++) {
    turn[2 * k] = Math.cos((2 * Math.PI * k) / size);
    turn[2 * k + 1] = -Math.sin((2 * Math.PI * k) / size);
  }
  turns.set(size, turn);
  return turn;
};

const butterflies = (real: Float64Array, imaginary: Float64Array, size: number): void => {
  const half = size / 2;
  const turn = turnOf(size);
  for (let start = 0; start < real.length; start += size) {
    for (let k = 0; k < half; k++) {
      const i = start + k;
      const j = i + half;
      const cosine = turn[2 * k]!;
      const sine = turn[2 * k + 1]!;
      const re = real[j]! * cosine - imaginary[j]! * sine;
      const im = real[j]! * sine + imaginary[j]! * cosine;
      real[j] = real[i]! - re;
      imaginary[j] = imaginary[i]! - im;
      real[i] = real[i]! + re;
      imaginary[i] = imaginary[i]! + im;
    }
  }
};

export interface Spectrum {
  /** Power at frequency k / (2 * power.length), k = 0 ... */
  readonly power: Float64Array;
  /** Autocorrelation at lag 0 ... n - 1, each sum divided by its own number of pairs. */
  readonly correlation: Float64Array;
}

/**
 * The transform of 2n real values from the transform of n complex ones whose real parts are the even values and whose
 * imaginary parts the odd ones. Writes its first n + 1 terms; the others mirror them.
 */
const untangle = (
  real: Float64Array,
  imaginary: Float64Array,
  write: (k: number, re: number, im: number) => void,
): void => {
  const n = real.length;
  const turn = turnOf(2 * n);
  for (let k = 0; k <= n; k++) {
    const a = k === n ? 0 : k;
    const b = k === 0 ? 0 : n - k;
    const evenRe = (real[a]! + real[b]!) / 2;
    const evenIm = (imaginary[a]! - imaginary[b]!) / 2;
    const oddRe = (imaginary[a]! + imaginary[b]!) / 2;
    const oddIm = (real[b]! - real[a]!) / 2;
    const cosine = k === n ? -1 : turn[2 * k]!;
    const sine = k === n ? 0 : turn[2 * k + 1]!;
    write(k, evenRe + oddRe * cosine - oddIm * sine, evenIm + oddRe * sine + oddIm * cosine);
  }
};

/** Periodogram (zero-padded) and autocorrelation of values with mean near 0. */
export const spectrumOf = (values: Float64Array): Spectrum => {
  const n = values.length;
  let half = 1;
  while (half < n) half *= 2;
  const real = new Float64Array(half);
  const imaginary = new Float64Array(half);
  for (let t = 0; t < n; t++) {
    if (t % 2 === 0) real[t >> 1] = values[t]!;
    else imaginary[t >> 1] = values[t]!;
  }
  fourier(real, imaginary);
  const squares = new Float64Array(half + 1);
  untangle(real, imaginary, (k, re, im) => {
    squares[k] = re * re + im * im;
  });
  // The power is real and even, and so is its transform, the autocorrelation.
  const squareAt = (k: number): number => squares[k <= half ? k : 2 * half - k]!;
  for (let k = 0; k < half; k++) {
    real[k] = squareAt(2 * k);
    imaginary[k] = squareAt(2 * k + 1);
  }
  fourier(real, imaginary);
  const correlation = new Float64Array(n);
  let variance = 0;
  untangle(real, imaginary, (lag, re) => {
    if (lag === 0) variance = re / n;
    if (lag < n && variance > 0) correlation[lag] = re / (n - lag) / variance;
  });
  return { power: squares.subarray(0, half), correlation };
};
