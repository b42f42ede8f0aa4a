import { TollamaError } from '@tollama/core/errors';
import { inferFrequency, parseFrequency } from '@tollama/core/frequency';
import type { Series } from '@tollama/core/series';

/** Checks each freq, and replaces 'auto' by what the timestamps say. Throws INVALID_REQUEST naming the series. */
export const resolveFrequencies = (
  series: readonly Series[],
): { series: Series[]; warnings: string[] } => {
  const warnings: string[] = [];
  const resolved = series.map((one): Series => {
    try {
      if (one.freq !== 'auto') {
        parseFrequency(one.freq);
        return one;
      }
      const { alias, warning } = inferFrequency(one.timestamps);
      if (warning) warnings.push(`series '${one.id}': ${warning}`);
      return { ...one, freq: alias };
    } catch (error) {
      if (!(error instanceof TollamaError)) throw error;
      throw new TollamaError('INVALID_REQUEST', `series '${one.id}': ${error.message}`, {
        hint: error.hint ?? "give the series' freq, such as 'D', 'h', '15min', 'W-SUN' or 'MS'",
      });
    }
  });
  return { series: resolved, warnings };
};
