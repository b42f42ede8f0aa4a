/** A batch run in words. */
import type { BatchRun } from '@tollama/core/batch-run';
import { formatBytes, formatMilliseconds, formatRelative, plural } from '../ui/quantity.ts';

/** How far it is; undefined while nobody knows how much there is. */
export const fractionOfBatch = ({ status, series, total }: BatchRun): number | undefined => {
  if (status === 'done') return 1;
  return total > 0 ? Math.min(1, series / total) : undefined;
};

/** '120,000 of 1,000,000 series · 996/s · 14 min 43 s left · 3 failed' */
export const describeBatch = (run: BatchRun): string => {
  const { status, series, total, failed } = run;
  if (status === 'planning') return 'looking through the panel';
  const count =
    status === 'done'
      ? plural(series, 'series', 'series')
      : `${series.toLocaleString('en')} of ${plural(total, 'series', 'series')}`;
  const isRunning = status === 'running';
  const rate = isRunning && run.series_per_second > 0;
  return [
    count,
    rate ? `${Math.round(run.series_per_second).toLocaleString('en')}/s` : '',
    isRunning && run.eta_ms !== null ? `${formatMilliseconds(run.eta_ms)} left` : '',
    failed > 0 ? `${failed.toLocaleString('en')} failed` : '',
  ]
    .filter(Boolean)
    .join(' · ');
};

/** Where it runs and for how long. */
export const describeEngine = (run: BatchRun, now: number): string => {
  const { workers, queue, host, memory_bytes: memory } = run;
  const ended = run.ended_at === null ? undefined : Date.parse(run.ended_at);
  const since = `started ${formatRelative(Date.parse(run.started_at), now)}`;
  const took = ended === undefined ? undefined : ended - Date.parse(run.started_at);
  return [
    workers > 0 ? `${plural(workers, 'worker')} on ${host}` : `workers elsewhere, run on ${host}`,
    queue === null ? '' : `queue ${queue}`,
    memory > 0 ? formatBytes(memory) : '',
    took === undefined ? since : `${since}, took ${formatMilliseconds(took)}`,
  ]
    .filter(Boolean)
    .join(' · ');
};
