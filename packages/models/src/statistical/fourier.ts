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

/** Periodogram (zero-padded) and autocorrelation of values with mean near 0. */
export const spectrumOf = (values: Float64Array): Spectrum => {
  const n = values.length;
  let size = 2;
  while (size < 2 * n) size *= 2;
  const real = new Float64Array(size);
  const imaginary = new Float64Array(size);
  real.set(values);
  fourier(real, imaginary);
  const power = new Float64Array(size / 2);
  for (let k = 0; k < size; k++) {
    real[k] = real[k]! ** 2 + imaginary[k]! ** 2;
    if (k < power.length) power[k] = real[k]!;
  }
  imaginary.fill(0);
  fourier(real, imaginary);
  const variance = real[0]! / n;
  const correlation = new Float64Array(n);
  if (variance > 0) {
    for (let lag = 0; lag < n; lag++) correlation[lag] = real[lag]! / (n - lag) / variance;
  }
  return { power, correlation };
};
