/** The magnitudes of a real series' discrete Fourier transform, of any length (Bluestein 1970). */

interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/** Cooley and Tukey's transform in place, of a power of two; `sign` is -1 forwards and 1 back. */
const transform = ({ re, im }: Complex, sign: 1 | -1): void => {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let size = 2; size <= n; size *= 2) {
    const half = size / 2;
    for (let k = 0; k < half; k++) {
      const angle = (sign * 2 * Math.PI * k) / size;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      for (let a = k; a < n; a += size) {
        const b = a + half;
        const [x, y] = [re[b]! * cos - im[b]! * sin, re[b]! * sin + im[b]! * cos];
        [re[b], im[b]] = [re[a]! - x, im[a]! - y];
        re[a]! += x;
        im[a]! += y;
      }
    }
  }
};

const zeros = (length: number): Complex => ({
  re: new Float64Array(length),
  im: new Float64Array(length),
});

/** Magnitudes of the first n / 2 + 1 frequencies of n values. */
export const magnitudes = (values: ArrayLike<number>): Float64Array => {
  const n = values.length;
  const size = 2 ** Math.ceil(Math.log2(Math.max(2, 2 * n - 1)));
  const [signal, chirp] = [zeros(size), zeros(size)];
  for (let i = 0; i < n; i++) {
    // i * i modulo 2n keeps the angle small, and with it its rounding.
    const angle = (Math.PI * ((i * i) % (2 * n))) / n;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    signal.re[i] = values[i]! * cos;
    signal.im[i] = -values[i]! * sin;
    for (const at of i === 0 ? [0] : [i, size - i]) {
      chirp.re[at] = cos;
      chirp.im[at] = sin;
    }
  }
  transform(signal, -1);
  transform(chirp, -1);
  for (let i = 0; i < size; i++) {
    const [a, b, c, d] = [signal.re[i]!, signal.im[i]!, chirp.re[i]!, chirp.im[i]!];
    signal.re[i] = a * c - b * d;
    signal.im[i] = a * d + b * c;
  }
  transform(signal, 1);
  // The last factor of the transform turns a value and leaves its magnitude.
  return Float64Array.from(
    { length: Math.floor(n / 2) + 1 },
    (_, k) => Math.hypot(signal.re[k]!, signal.im[k]!) / size,
  );
};
