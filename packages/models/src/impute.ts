/** What stands in for missing values: the last known one, a straight line to the next, or zero. */
export type Imputation = 'ffill' | 'linear' | 'none';

/**
 * Replaces missing values (NaN) in place: 0 before the first known one and everywhere with `none`; after the
 * last known one both others repeat it (pandas' `ffill` and `interpolate`, then zeros).
 *
 * @returns 1 where a value was known
 */
export const impute = (values: Float32Array, imputation: Imputation): Uint8Array => {
  const known = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1));
  let last = -1;
  for (let i = 0; i <= values.length; i++) {
    if (i < values.length && !known[i]) continue;
    const from = last < 0 || imputation === 'none' ? 0 : values[last]!;
    const isInner = last >= 0 && i < values.length;
    const step = imputation === 'linear' && isInner ? (values[i]! - from) / (i - last) : 0;
    for (let k = last + 1; k < i; k++) values[k] = from + step * (k - last);
    last = i;
  }
  return known;
};
