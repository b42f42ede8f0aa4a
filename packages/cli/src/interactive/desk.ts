/** What lies on the desk of an interactive session: the series, the settings and the latest forecast. */
import type { ForecastResponse } from '@tollama/client';
import type { InputSeries } from '@tollama/ingest/series-objects';

export interface Desk {
  readonly model: string;
  /** undefined: two seasons of the series. */
  readonly horizon: number | undefined;
  readonly quantiles: readonly number[];
  /** undefined: what the timestamps say. */
  readonly freq: string | undefined;
  /** Where the series came from. */
  readonly path: string | undefined;
  readonly series: readonly InputSeries[] | undefined;
  readonly last: ForecastResponse | undefined;
}

/** `load "my file.csv"` as words; quotes keep spaces together. */
export const wordsOf = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain!,
  );
