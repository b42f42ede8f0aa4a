/**
 * Limits of the interval between the lowest and the highest quantile of each step, so that a degenerate
 * answer is neither overconfident nor useless.
 */

/**
 * centred: the middle quantile -/+ half the limit, clipped to [0, 1], as the original service did: near 0 and
 * 1 the minimum is missed, and the maximum can push a side outwards.
 * contained: the minimum holds everywhere, and the maximum only ever moves a side inwards.
 */
export type WidthRule = 'centred' | 'contained';

export interface WidthLimits {
  readonly min: number;
  readonly max: number;
  readonly rule: WidthRule;
}

export type WidthWarning = 'interval_min_width_enforced' | 'interval_max_width_clamped';

export interface Limited {
  readonly rows: readonly (readonly number[])[];
  /** One for each step that was changed, in order. */
  readonly warnings: readonly WidthWarning[];
}

interface Band {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

type Sides = readonly [low: number, high: number];

const clip = (value: number): number => Math.max(0, Math.min(1, value));

const centred = (middle: number, width: number): Sides => [
  clip(middle - width / 2),
  clip(middle + width / 2),
];

/** A band of the whole width around the middle, shifted into [0, 1]. */
const widened = (middle: number, width: number): Sides => {
  const low = Math.max(0, Math.min(1 - width, middle - width / 2));
  return [low, Math.min(1, low + width)];
};

/** The band cut to the width around the middle; the shorter side stays where it is. */
const narrowed = ({ low, middle, high }: Band, width: number): Sides => {
  const half = width / 2;
  if (middle - low < half) return [low, low + width];
  if (high - middle < half) return [high - width, high];
  return [middle - half, middle + half];
};

const limitBand = (
  band: Band,
  { min, max, rule }: WidthLimits,
): readonly [Sides, WidthWarning] | undefined => {
  const width = band.high - band.low;
  if (width < min) {
    const sides = rule === 'centred' ? centred(band.middle, min) : widened(band.middle, min);
    return [sides, 'interval_min_width_enforced'];
  }
  if (width > max) {
    const sides = rule === 'centred' ? centred(band.middle, max) : narrowed(band, max);
    return [sides, 'interval_max_width_clamped'];
  }
  return undefined;
};

/** rows [levels][horizon] in [0, 1], ascending at each step; `middle` is the row of the median. */
export const limitWidths = (
  rows: readonly (readonly number[])[],
  middle: number,
  limits: WidthLimits,
): Limited => {
  const warnings: WidthWarning[] = [];
  const last = rows.length - 1;
  let changed: number[][] | undefined;
  for (let step = 0; step < (rows[0]?.length ?? 0); step++) {
    const limited = limitBand(
      { low: rows[0]![step]!, middle: rows[middle]![step]!, high: rows[last]![step]! },
      limits,
    );
    if (!limited) continue;
    const [[low, high], warning] = limited;
    warnings.push(warning);
    changed ??= rows.map((row) => [...row]);
    changed[0]![step] = low;
    changed[last]![step] = high;
    // Levels between keep their order within the new sides.
    for (let row = 1; row < last; row++) {
      changed[row]![step] = Math.max(low, Math.min(high, changed[row]![step]!));
    }
  }
  return { rows: changed ?? rows, warnings };
};
