/** The normal distribution's quantile: Wichura's algorithm AS 241 (PPND16), relative error about 1e-16. */

const CENTRAL = [
  [2509.0809287301227, 5226.495278852854],
  [33430.57558358813, 28729.085735721943],
  [67265.7709270087, 39307.89580009271],
  [45921.95393154987, 21213.794301586597],
  [13731.69376550946, 5394.196021424751],
  [1971.5909503065513, 687.1870074920579],
  [133.14166789178438, 42.31333070160091],
  [3.3871328727963665, 1],
] as const;

const MIDDLE = [
  [0.0007745450142783414, 1.0507500716444169e-9],
  [0.022723844989269184, 0.0005475938084995345],
  [0.2417807251774506, 0.015198666563616457],
  [1.2704582524523684, 0.14810397642748008],
  [3.6478483247632045, 0.6897673349851],
  [5.769497221460691, 1.6763848301838038],
  [4.630337846156546, 2.053191626637759],
  [1.4234371107496835, 1],
] as const;

const TAIL = [
  [2.0103343992922881e-7, 2.0442631033899397e-15],
  [2.7115555687434876e-5, 1.421511758316446e-7],
  [0.0012426609473880784, 1.8463183175100548e-5],
  [0.026532189526576124, 0.0007868691311456133],
  [0.29656057182850487, 0.014875361290850615],
  [1.7848265399172913, 0.1369298809227358],
  [5.463784911164114, 0.599832206555888],
  [6.657904643501103, 1],
] as const;

const ratio = (terms: readonly (readonly [number, number])[], r: number): number => {
  let numerator = 0;
  let denominator = 0;
  for (const [a, b] of terms) {
    numerator = numerator * r + a;
    denominator = denominator * r + b;
  }
  return numerator / denominator;
};

/**
 * The value that a standard normal variable stays below with probability `level`, in (0, 1).
 *
 * @example
 * normalQuantile(0.975); // 1.959963984540054
 */
export const normalQuantile = (level: number): number => {
  const q = level - 0.5;
  if (Math.abs(q) <= 0.425) return q * ratio(CENTRAL, 0.180625 - q * q);
  const r = Math.sqrt(-Math.log(q < 0 ? level : 1 - level));
  const z = r <= 5 ? ratio(MIDDLE, r - 1.6) : ratio(TAIL, r - 5);
  return q < 0 ? -z : z;
};
