/** How good forecasts were: errors over all steps of all series, and what the fan promised. */

/** One forecast beside what came. */
export interface Scored {
  readonly mean: readonly number[];
  readonly quantiles: Readonly<Record<string, readonly number[]>>;
  readonly actuals: readonly number[];
  /** Mean |difference| to the value a season ago within the history; scales MASE. */
  readonly naiveError: number;
}

export interface Scores {
  readonly mae: number;
  readonly rmse: number;
  /** Mean over series of MAE / in-sample seasonal naive error (Hyndman & Koehler 2006). */
  readonly mase: number;
  /** Mean weighted quantile loss: 2 * pinball loss / sum of |actuals|, averaged over the levels. */
  readonly wql: number | undefined;
  /** Share of values between the outermost levels. */
  readonly coverage: number | undefined;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Mean |x_i - x_(i-season)|; season 1 where the history is shorter than a season. */
export const seasonalNaiveError = (history: readonly number[], season: number): number => {
  const lag = season < history.length ? season : 1;
  const steps = history.slice(lag).map((value, i) => Math.abs(value - history[i]!));
  return mean(steps.filter(Number.isFinite));
};

const pinball = (level: number, forecast: number, actual: number): number =>
  actual >= forecast ? level * (actual - forecast) : (1 - level) * (forecast - actual);

const known = ({ actuals }: Scored): number[] =>
  actuals.flatMap((actual, h) => (Number.isFinite(actual) ? [h] : []));

const weightedQuantileLoss = (
  all: readonly Scored[],
  levels: readonly string[],
): number | undefined => {
  const weight = all
    .flatMap((one) => known(one).map((h) => Math.abs(one.actuals[h]!)))
    .reduce((a, b) => a + b, 0);
  if (levels.length === 0 || weight === 0) return undefined;
  const losses = levels.map((level) =>
    all
      .flatMap((one) =>
        known(one).map((h) => pinball(Number(level), one.quantiles[level]![h]!, one.actuals[h]!)),
      )
      .reduce((a, b) => a + b, 0),
  );
  return (2 * mean(losses)) / weight;
};

const coverageOf = (all: readonly Scored[], levels: readonly string[]): number | undefined => {
  const [low, high] = [levels[0], levels.at(-1)];
  if (!low || !high || low === high) return undefined;
  const inside = all.flatMap((one) =>
    known(one).map((h): number => {
      const actual = one.actuals[h]!;
      return actual >= one.quantiles[low]![h]! && actual <= one.quantiles[high]![h]! ? 1 : 0;
    }),
  );
  return mean(inside);
};

/** Scores over all series and steps whose value is known. */
export const score = (all: readonly Scored[]): Scores => {
  const levels = Object.keys(all[0]?.quantiles ?? {});
  const errors = all.flatMap((one) => known(one).map((h) => one.actuals[h]! - one.mean[h]!));
  const scaled = all
    .filter(({ naiveError }) => naiveError > 0)
    .map(
      (one) =>
        mean(known(one).map((h) => Math.abs(one.actuals[h]! - one.mean[h]!))) / one.naiveError,
    );
  return {
    mae: mean(errors.map(Math.abs)),
    rmse: Math.sqrt(mean(errors.map((error) => error * error))),
    mase: mean(scaled),
    wql: weightedQuantileLoss(all, levels),
    coverage: coverageOf(all, levels),
  };
};
