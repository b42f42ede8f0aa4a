/** Series as they were read, as sessions take them. */
import { formatFrequency, inferFrequency } from '@tollama/core/frequency';
import type { InputSeries } from '@tollama/ingest/series-objects';
import type { TaskSeries } from '@tollama/session/backend/backend';

/** The frequency of a series; auto where its timestamps have none. */
const frequencyOf = ({ freq, timestamps }: InputSeries, given: string | undefined): string => {
  if (given !== undefined && given !== 'auto') return given;
  if (freq !== 'auto') return freq;
  try {
    return formatFrequency(inferFrequency(timestamps).frequency);
  } catch {
    return 'auto';
  }
};

export const toTaskSeries = (all: readonly InputSeries[], freq: string | undefined): TaskSeries[] =>
  all.map((one) => ({
    id: one.id,
    freq: frequencyOf(one, freq),
    timestamps: one.timestamps,
    target: Float64Array.from(one.target),
  }));
