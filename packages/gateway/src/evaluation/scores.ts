/** How good forecasts were, over the latest values that came true. */

export interface Realised {
  readonly market: string;
  /** Forecast: the lowest and the highest quantile, and the median. */
  readonly low: number;
  readonly median: number;
  readonly high: number;
  /** What came true: a probability, or 0 or 1 for a market that was resolved. */
  readonly actual: number;
}

export interface Scores {
  readonly samples: number;
  readonly brier: number | undefined;
  readonly ece: number | undefined;
  readonly logLoss: number | undefined;
  readonly coverage: number | undefined;
  readonly width: number | undefined;
  readonly hasDrifted: boolean;
  readonly markets: number;
  readonly lowConfidenceMarkets: number;
}

export interface ScoreRules {
  readonly targetCoverage: number;
  /** Fewer samples than these tell nothing: of drift, or of a market. */
  readonly minSamples: number;
  readonly driftSigmas: number;
}

const ECE_BINS = 10;
/** Log loss of a certain error would be infinite. */
const LOG_FLOOR = 1e-12;

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const crossEntropy = ({ median, actual }: Realised): number => {
  const p = Math.min(1 - LOG_FLOOR, Math.max(LOG_FLOOR, median));
  return -(actual * Math.log(p) + (1 - actual) * Math.log(1 - p));
};

/** Ten bins of equal width by forecast; the mean distance of forecast and outcome, weighted by size. */
const expectedCalibrationError = (samples: readonly Realised[]): number => {
  const bins = Array.from({ length: ECE_BINS }, () => ({ forecast: 0, actual: 0 }));
  for (const { median, actual } of samples) {
    const bin = bins[Math.min(ECE_BINS - 1, Math.floor(median * ECE_BINS))]!;
    bin.forecast += median;
    bin.actual += actual;
  }
  const distance = bins.reduce((sum, bin) => sum + Math.abs(bin.forecast - bin.actual), 0);
  return distance / samples.length;
};

const isInside = ({ low, high, actual }: Realised): boolean => low <= actual && actual <= high;

/** Whether the coverage is further from its target than chance explains. */
const hasDrifted = (coverage: number, samples: number, rules: ScoreRules): boolean => {
  if (samples < rules.minSamples) return false;
  const { targetCoverage: target, driftSigmas } = rules;
  const sigma = Math.sqrt(Math.max(target * (1 - target), 1e-6) / samples);
  return Math.abs(coverage - target) > driftSigmas * sigma;
};

export const scoresOf = (samples: readonly Realised[], rules: ScoreRules): Scores => {
  const byMarket = new Map<string, number>();
  for (const { market } of samples) byMarket.set(market, (byMarket.get(market) ?? 0) + 1);
  const counts = [...byMarket.values()];
  const base = {
    samples: samples.length,
    markets: counts.length,
    lowConfidenceMarkets: counts.filter((count) => count < rules.minSamples).length,
  };
  if (samples.length === 0) {
    const none = undefined;
    return {
      ...base,
      brier: none,
      ece: none,
      logLoss: none,
      coverage: none,
      width: none,
      hasDrifted: false,
    };
  }
  const coverage = samples.filter(isInside).length / samples.length;
  return {
    ...base,
    brier: mean(samples.map(({ median, actual }) => (median - actual) ** 2)),
    ece: expectedCalibrationError(samples),
    logLoss: mean(samples.map(crossEntropy)),
    coverage,
    width: mean(samples.map(({ low, high }) => high - low)),
    hasDrifted: hasDrifted(coverage, samples.length, rules),
  };
};
