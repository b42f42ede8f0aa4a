/** Values for gaps: along straight lines, along a season, or along a smooth curve. */
import type { RepairOptions } from '@tollama/core/ingest-options';
import { cubicSpline } from './spline.ts';

export interface Imputed {
  readonly values: Float64Array;
  readonly used: Exclude<RepairOptions['method'], 'auto'>;
  readonly warnings: readonly string[];
}

const knownPlaces = (values: Float64Array): number[] =>
  Array.from(values.keys()).filter((i) => !Number.isNaN(values[i]!));

/** Inner gaps linearly, ends by the nearest value. */
const linear = (values: Float64Array): Float64Array => {
  const known = knownPlaces(values);
  const filled = values.slice();
  let next = 0;
  for (let i = 0; i < filled.length; i++) {
    while (next < known.length && known[next]! < i) next++;
    const after = known[next];
    const before = known[next - 1];
    if (after === i) continue;
    if (before === undefined || after === undefined) filled[i] = values[(before ?? after)!]!;
    else {
      const part = (i - before) / (after - before);
      filled[i] = values[before]! * (1 - part) + values[after]! * part;
    }
  }
  return filled;
};

const spline = (values: Float64Array): Float64Array => {
  const known = knownPlaces(values);
  const curve = cubicSpline(
    known,
    known.map((i) => values[i]!),
  );
  const ends = linear(values);
  const [first, last] = [known[0]!, known.at(-1)!];
  return ends.map((value, i) =>
    Number.isNaN(values[i]!) && i > first && i < last ? curve(i) : value,
  );
};

/** Mean of each phase around a line through the known values; NaN where a phase is never known. */
const profileOf = (values: Float64Array, period: number): Float64Array => {
  const line = linear(values);
  const sums = new Float64Array(period);
  const counts = new Float64Array(period);
  const half = Math.floor(period / 2);
  for (const i of knownPlaces(values)) {
    // A window of whole seasons around the place, so that the season itself does not count as trend.
    const from = Math.max(0, Math.min(i - half, line.length - period));
    const window = line.subarray(from, from + period);
    sums[i % period]! += values[i]! - window.reduce((a, b) => a + b, 0) / window.length;
    counts[i % period]! += 1;
  }
  return sums.map((sum, phase) => sum / counts[phase]!);
};

const seasonal = (values: Float64Array, period: number): Float64Array | undefined => {
  const profile = profileOf(values, period);
  const isCovered = values.every(
    (value, i) => !Number.isNaN(value) || !Number.isNaN(profile[i % period]!),
  );
  if (!isCovered) return undefined;
  const level = linear(values.map((value, i) => value - (profile[i % period] || 0)));
  return values.map((value, i) =>
    Number.isNaN(value) ? level[i]! + (profile[i % period] || 0) : value,
  );
};

const LEAST_FOR_SPLINE = 4;

/**
 * Fills what is NaN; at least one value must be known. `auto` is seasonal where two cycles are known.
 *
 * @param period steps of a season; undefined where there is none
 */
export const impute = (
  values: Float64Array,
  method: RepairOptions['method'],
  period: number | undefined,
): Imputed => {
  const known = knownPlaces(values).length;
  const plain = (warnings: readonly string[] = []): Imputed => ({
    values: linear(values),
    used: 'linear',
    warnings,
  });
  if (method === 'bspline') {
    if (known >= LEAST_FOR_SPLINE) return { values: spline(values), used: 'bspline', warnings: [] };
    return plain([`${known} known values are too few for bspline; linear is used`]);
  }
  if (method === 'linear') return plain();
  const hasCycles = period !== undefined && period > 1 && known >= 2 * period;
  const filled = hasCycles ? seasonal(values, period) : undefined;
  if (filled) return { values: filled, used: 'seasonal', warnings: [] };
  if (method === 'auto') return plain();
  return plain(['two whole seasons are needed for seasonal; linear is used']);
};
