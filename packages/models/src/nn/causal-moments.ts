/**
 * The statistics of Toto's causal patch scalers (toto, model/scaler.py; toto2, model.py): each patch is
 * standardised by all that was observed up to its last step, so no patch knows what comes after it.
 */

export interface Moments {
  /** At the last step of each patch; 0 before anything was observed. */
  readonly mean: Float64Array;
  /** Over count - 1; 0 before two values were observed. */
  readonly variance: Float64Array;
  /** Values observed so far. */
  readonly count: Float64Array;
}

/**
 * Running mean and variance by Welford's sums, in float64 and in the order of the reference's cumulative
 * sums.
 *
 * @param values a whole number of patches; what lies at steps that are not observed has no effect
 * @param observed 1 where a value is known
 */
export const causalMoments = (
  values: ArrayLike<number>,
  observed: ArrayLike<number>,
  patchSize: number,
): Moments => {
  const patches = values.length / patchSize;
  const mean = new Float64Array(patches);
  const variance = new Float64Array(patches);
  const count = new Float64Array(patches);
  let [seen, sum, average, squares] = [0, 0, 0, 0];
  for (let patch = 0, step = 0; patch < patches; patch++) {
    for (const end = step + patchSize; step < end; step++) {
      if (!observed[step]) continue;
      const value = values[step]!;
      const before = average;
      seen++;
      sum += value;
      average = sum / seen;
      squares += (value - before) * (value - average);
    }
    mean[patch] = average;
    variance[patch] = squares / Math.max(seen - 1, 1);
    count[patch] = seen;
  }
  return { mean, variance, count };
};
