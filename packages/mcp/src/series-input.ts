/** Series of a call: written out, or by the name of a dataset. */
import { TollamaError } from '@tollama/core/errors';
import { inferFrequency, parseFrequency, seasonLengths } from '@tollama/core/frequency';
import { Series } from '@tollama/core/series';
import { z } from 'zod';
import { nameIn } from './addresses.ts';
import { LIMITS } from './limits.ts';
import type { Call } from './tool.ts';

/** As `Series`, easier to write by hand: null for a missing value, id and timestamps may be left out. */
const WrittenSeries = Series.omit({ missing_indices: true, actuals: true }).extend({
  id: z.string().min(1).max(1024).optional().describe('name; series-1, series-2, ... when absent'),
  freq: Series.shape.freq.describe('pandas alias (D, h, MS, W-SUN, 15min, ...) or auto'),
  timestamps: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('ISO dates or times, ascending; 0, 1, 2, ... when absent'),
  target: z.array(z.number().nullable()).min(1).describe('values, null where one is missing'),
});
type WrittenSeries = z.infer<typeof WrittenSeries>;

/** Fields of every tool that reads series. */
export const DATA_FIELDS = {
  series: z
    .array(WrittenSeries)
    .min(1)
    .max(LIMITS.series)
    .optional()
    .describe('the data; give either series or dataset'),
  dataset: z
    .string()
    .min(1)
    .optional()
    .describe('name or dataset:// address of a table that this server offers'),
} as const;

export interface DataInput {
  readonly series?: readonly WrittenSeries[] | undefined;
  readonly dataset?: string | undefined;
}

const refuse = (message: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', message, { hint });
};

const toSeries = ({ target, ...rest }: WrittenSeries, place: number): Series => {
  const missing = target.flatMap((value, i) => (value === null ? [i] : []));
  return {
    ...rest,
    id: rest.id ?? `series-${place + 1}`,
    timestamps: rest.timestamps ?? target.map((_, i) => String(i)),
    target: target.map((value) => value ?? 0),
    ...(missing.length > 0 && { missing_indices: missing }),
  };
};

const checkSize = (series: readonly Series[]): void => {
  const points = series.reduce((sum, { target }) => sum + target.length, 0);
  const hint = 'ask for fewer or shorter series, or use `tollama run --input` for whole files';
  if (series.length > LIMITS.series) {
    refuse(`${series.length} series are more than the ${LIMITS.series} of one call`, hint);
  }
  if (points > LIMITS.points) {
    refuse(`${points} points are more than the ${LIMITS.points} of one call`, hint);
  }
};

/** Lengths that the daemon would refuse only once windows have been cut. */
const checkLengths = ({ id, timestamps, target }: Series): void => {
  if (timestamps.length === target.length) return;
  const message = `series '${id}' has ${target.length} values for ${timestamps.length} timestamps`;
  refuse(message, 'give one timestamp for each value');
};

/** @throws TollamaError INVALID_REQUEST, or NOT_FOUND for a dataset */
export const seriesOf = async (
  { series, dataset }: DataInput,
  { context, signal }: Call,
): Promise<readonly Series[]> => {
  if ((series === undefined) === (dataset === undefined)) {
    refuse('give either series or dataset', 'datasets are listed as dataset:// resources');
  }
  if (series) {
    const written = series.map(toSeries);
    checkSize(written);
    written.forEach(checkLengths);
    return written;
  }
  const name = nameIn('dataset', dataset!);
  if (!context.datasets) {
    throw new TollamaError('NOT_FOUND', `dataset '${name}': this server offers no datasets`, {
      hint: 'start it with `tollama mcp --data FOLDER`, or write the series out',
    });
  }
  const read = await context.datasets.read(name, signal);
  checkSize(read);
  return read;
};

/** The most natural season of a series in steps; 1 where there is none. */
export const seasonOf = ({ freq, timestamps }: Series): number => {
  try {
    const frequency = freq === 'auto' ? inferFrequency(timestamps).frequency : parseFrequency(freq);
    return seasonLengths(frequency)[0] ?? 1;
  } catch {
    return 1;
  }
};

const SEASONS = 2;
const WITHOUT_SEASON = 12;

/** Two seasons, at most half of the history: what is forecast when no horizon is given. */
export const defaultHorizon = (series: readonly Series[]): number => {
  const first = series[0]!;
  const season = seasonOf(first);
  const wanted = season > 1 ? SEASONS * season : WITHOUT_SEASON;
  return Math.max(1, Math.min(wanted, Math.floor(first.target.length / 2)));
};
