import { TollamaError } from '@tollama/core/errors';
import { inferFrequency } from '@tollama/core/frequency';
import type { Series } from '@tollama/core/series';

/** Replaces freq 'auto' by what the timestamps say. Throws INVALID_REQUEST naming the series. */
export const resolveFrequencies = (series: readonly Series[]): { series: Series[]; warnings: string[] } => {
  const warnings: string[] = [];
  const resolved = series.map((one): Series => {
    if (one.freq !== 'auto') return one;
    try {
      const { frequency, warning } = inferFrequency(one.timestamps);
      if (warning) warnings.push(`series '${one.id}': ${warning}`);
      return { ...one, freq: frequency };
    } catch (error) {
      if (!(error instanceof TollamaError)) throw error;
      throw new TollamaError('INVALID_REQUEST', `series '${one.id}': cannot infer freq: ${error.message}`, {
        hint: "give the series' freq, such as 'D', 'h', '15min', 'W-SUN' or 'MS'",
      });
    }
  });
  return { series: resolved, warnings };
};
