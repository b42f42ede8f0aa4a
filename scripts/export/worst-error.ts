/** How far an answer of an exported model is from golden quantiles. */

export interface ExpectedQuantiles {
  /** Levels that were asked for. */
  readonly levels: readonly number[];
  /** [series][level][step] */
  readonly values: readonly (readonly (readonly number[])[])[];
}

export interface Answer {
  readonly levels: readonly number[];
  /** [series][level][step], levels of the model; one row without a level for a point forecast. */
  readonly values: readonly (readonly (readonly number[])[])[];
}

/** The largest difference as a share of the largest expected value; only levels that the model has count. */
export const worstError = (answer: Answer, expected: ExpectedQuantiles): number => {
  let worst = 0;
  expected.values.forEach((rows, series) => {
    const largest = Math.max(1e-12, ...rows.flat().map(Math.abs));
    rows.forEach((row, k) => {
      const at = expected.levels.length === 0 ? 0 : answer.levels.indexOf(expected.levels[k]!);
      if (at < 0) return;
      const got = answer.values[series]![at]!;
      row.forEach((value, step) => {
        const error = Math.abs(value - got[step]!) / largest;
        worst = Math.max(worst, Number.isFinite(error) ? error : Number.POSITIVE_INFINITY);
      });
    });
  });
  return worst;
};
