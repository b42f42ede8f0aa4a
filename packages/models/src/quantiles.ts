/**
 * Quantiles at levels that a model was not trained for.
 *
 * If every asked level is a trained one, its row is taken as it is: crossing quantiles stay crossed.
 * Otherwise all asked levels come from the sorted values with both ends doubled, by linear interpolation at
 * rank level * (Q + 1), which assumes the trained levels i / (Q + 1) as the reference does whatever they are
 * (chronos_bolt.py, `predict_quantiles`). Beyond the outermost level the fan stays flat.
 *
 * @param rows  Q arrays of horizon values, in the order of `trained`
 * @returns one array of horizon values for each asked level
 */
export const interpolatedQuantiles = (
  rows: readonly Float32Array[],
  trained: readonly number[],
  asked: readonly number[],
): Float32Array[] => {
  const places = asked.map((level) => trained.findIndex((known) => Math.abs(known - level) < 1e-9));
  if (places.every((place) => place >= 0))
    return places.map((place) => Float32Array.from(rows[place]!));
  const horizon = rows[0]?.length ?? 0;
  const out = asked.map(() => new Float32Array(horizon));
  const values = new Float32Array(trained.length + 2);
  for (let h = 0; h < horizon; h++) {
    rows.forEach((row, i) => {
      values[i + 1] = row[h]!;
    });
    values[0] = rows[0]![h]!;
    values[trained.length + 1] = rows[trained.length - 1]![h]!;
    values.sort();
    asked.forEach((level, i) => {
      const rank = level * (trained.length + 1);
      const below = Math.floor(rank);
      const above = Math.min(below + 1, trained.length + 1);
      out[i]![h] = values[below]! + (rank - below) * (values[above]! - values[below]!);
    });
  }
  return out;
};
