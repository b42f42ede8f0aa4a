/** Split-conformal calibration of a band: a shift of its centre and a scale of its width. */
import { ascendingCopy, linearQuantile, median } from '../numbers/linear-quantile.ts';
import { clipToUnit } from '../numbers/logit.ts';

export interface Band {
  readonly q10: number;
  readonly q50: number;
  readonly q90: number;
}

/** As the state file has it. */
export interface Adjustment {
  readonly target_coverage: number;
  readonly quantile_level: number;
  readonly center_shift: number;
  readonly width_scale: number;
  readonly sample_size: number;
}

export interface ConformalBand extends Band {
  readonly band_calibration: 'conformal';
  readonly conformal_target_coverage: number;
  readonly conformal_quantile_level: number;
  readonly conformal_center_shift: number;
  readonly conformal_width_scale: number;
}

/** Narrower half-widths count as this one when errors are measured in them. */
const MIN_HALF_WIDTH = 1e-6;

const sidesOf = ({ q10, q90 }: Band): readonly [number, number] =>
  q10 <= q90 ? [q10, q90] : [q90, q10];

/** The band moved and scaled, each of its three values clipped to [0, 1]. */
export const applyAdjustment = (band: Band, adjustment: Adjustment): ConformalBand => {
  const [low, high] = sidesOf(band);
  const half = ((high - low) / 2) * adjustment.width_scale;
  const centre = band.q50 + adjustment.center_shift;
  return {
    q10: clipToUnit(centre - half),
    q50: clipToUnit(centre),
    q90: clipToUnit(centre + half),
    band_calibration: 'conformal',
    conformal_target_coverage: adjustment.target_coverage,
    conformal_quantile_level: adjustment.quantile_level,
    conformal_center_shift: adjustment.center_shift,
    conformal_width_scale: adjustment.width_scale,
  };
};

/**
 * Fits the adjustment: the shift is the median residual; the scale is the quantile of the errors around the
 * shifted centre, in half-widths, at level ceil((n + 1) coverage) / n. At least one band.
 */
export const fitAdjustment = (
  bands: readonly Band[],
  actuals: readonly number[],
  targetCoverage: number,
): Adjustment => {
  const shift = median(bands.map(({ q50 }, i) => actuals[i]! - q50));
  const errors = bands.map((band, i) => {
    const [low, high] = sidesOf(band);
    return Math.abs(actuals[i]! - (band.q50 + shift)) / Math.max((high - low) / 2, MIN_HALF_WIDTH);
  });
  const count = bands.length;
  const level = Math.max(0, Math.min(1, Math.ceil((count + 1) * targetCoverage) / count));
  return {
    target_coverage: targetCoverage,
    quantile_level: level,
    center_shift: shift,
    width_scale: linearQuantile(ascendingCopy(errors), level),
    sample_size: count,
  };
};

export interface CoverageReport {
  readonly samples: number;
  readonly empirical_coverage: number;
  readonly mean_interval_width: number;
  readonly median_interval_width: number;
}

/** How often the bands held the actual values, bounds included, and how wide they were. */
export const coverageOf = (bands: readonly Band[], actuals: readonly number[]): CoverageReport => {
  const sides = bands.map(sidesOf);
  const widths = sides.map(([low, high]) => high - low);
  const inside = sides.filter(([low, high], i) => low <= actuals[i]! && actuals[i]! <= high);
  return {
    samples: bands.length,
    empirical_coverage: inside.length / bands.length,
    mean_interval_width: widths.reduce((sum, width) => sum + width, 0) / widths.length,
    median_interval_width: median(widths),
  };
};
