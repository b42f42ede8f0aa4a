/** How honest quantiles are: coverage by level, and the histogram of the probability integral transform. */
import { LOSS_LEVELS } from '../gift-eval/metrics.ts';

/**
 * Density of the values' probabilities in the bins between levels, from the coverage of each level: 1
 * throughout where forecasts are calibrated, high at both ends where they are too narrow.
 *
 * @param coverage share of values at or below the forecast of each level
 */
export const pitDensities = (
  coverage: readonly number[],
  levels: readonly number[] = LOSS_LEVELS,
): number[] => {
  const edges = [0, ...levels, 1];
  const shares = [0, ...coverage, 1];
  return edges.slice(1).map((edge, i) => (shares[i + 1]! - shares[i]!) / (edge - edges[i]!));
};

/** Mean |coverage - level|: 0 is calibrated. */
export const calibrationError = (
  coverage: readonly number[],
  levels: readonly number[] = LOSS_LEVELS,
): number =>
  levels.reduce((sum, level, i) => sum + Math.abs(coverage[i]! - level), 0) / levels.length;

/** Mean of coverages over configurations, level by level; what is not known is left out. */
export const meanCoverage = (all: readonly (readonly number[])[]): number[] =>
  LOSS_LEVELS.map((_, l) => {
    const known = all.map((coverage) => coverage[l]!).filter(Number.isFinite);
    return known.reduce((sum, value) => sum + value, 0) / known.length;
  });
