/**
 * The statistics of Toto's causal patch scalers (toto, model/scaler.py; toto2, model.py): each patch is
 * standardised by all that was observed up to its last step, so no patch knows what comes after it.
 */

/** Welford's sums over what was observed so far. */
export interface Moments {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  /** Squared deviations from the mean, summed. */
  readonly squares: number;
}

export const NO_MOMENTS: Moments = Object.freeze({ count: 0, sum: 0, mean: 0, squares: 0 });

/**
 * The moments after further values, in float64 and in the order of the reference's cumulative sums.
 *
 * @param observed 1 where a value counts; all do when absent
 */
export const observe = (moments: Moments, values: Float32Array, observed?: Uint8Array): Moments => {
  let { count, sum, mean, squares } = moments;
  for (let i = 0; i < values.length; i++) {
    if (observed && !observed[i]) continue;
    const value = values[i]!;
    const before = mean;
    count++;
    sum += value;
    mean = sum / count;
    squares += (value - before) * (value - mean);
  }
  return { count, sum, mean, squares };
};

/** Over count - 1; 0 before two values were observed. */
export const varianceOf = ({ count, squares }: Moments): number => squares / Math.max(count - 1, 1);
