/** How far a pull is, from the lines that the daemon streams. */
import type { StreamEvent } from '@tollama/client';
import { formatBytes, formatSeconds } from '../ui/quantity.ts';

export interface PullProgress {
  /** What the daemon does, in its words. */
  readonly status: string;
  readonly completedBytes: number;
  readonly totalBytes: number;
  readonly filesCompleted: number;
  readonly filesTotal: number;
  /** Bytes a second, over the last seconds. */
  readonly rate: number | undefined;
  readonly warnings: readonly string[];
  readonly samples: readonly { readonly atMs: number; readonly bytes: number }[];
}

export const START: PullProgress = {
  status: 'asking the daemon',
  completedBytes: 0,
  totalBytes: 0,
  filesCompleted: 0,
  filesTotal: 0,
  rate: undefined,
  warnings: [],
  samples: [],
};

/** Rates are told over this time, so that they do not jump. */
const WINDOW_MS = 5000;

const numberOf = (value: unknown, fallback: number): number =>
  typeof value === 'number' && Number.isFinite(value) ? value : fallback;

const rateOf = (samples: PullProgress['samples']): number | undefined => {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last || last.atMs - first.atMs < 250) return undefined;
  return ((last.bytes - first.bytes) / (last.atMs - first.atMs)) * 1000;
};

/** The progress after one more line. */
export const advance = (before: PullProgress, event: StreamEvent, atMs: number): PullProgress => {
  if (event.status === 'warning') {
    return { ...before, warnings: [...before.warnings, String(event.message)] };
  }
  if (event.status !== 'downloading') return { ...before, status: event.status ?? before.status };
  const completedBytes = numberOf(event.completed_bytes, before.completedBytes);
  const recent = before.samples.filter((sample) => atMs - sample.atMs <= WINDOW_MS);
  const samples = [...recent, { atMs, bytes: completedBytes }];
  return {
    ...before,
    status: event.status,
    completedBytes,
    totalBytes: numberOf(event.total_bytes, before.totalBytes),
    filesCompleted: numberOf(event.files_completed, before.filesCompleted),
    filesTotal: numberOf(event.files_total, before.filesTotal),
    rate: rateOf(samples),
    samples,
  };
};

/** Between 0 and 1; undefined while the size is not known. */
export const fractionOf = ({ completedBytes, totalBytes }: PullProgress): number | undefined =>
  totalBytes > 0 ? Math.min(1, completedBytes / totalBytes) : undefined;

/** `62 of 191 MB, 12 MB/s, 11 s left`. */
export const describeProgress = (progress: PullProgress): string => {
  const { completedBytes, totalBytes, rate, status } = progress;
  if (totalBytes === 0) return status;
  const parts = [`${formatBytes(completedBytes)} of ${formatBytes(totalBytes)}`];
  if (rate !== undefined && rate > 0) {
    parts.push(`${formatBytes(rate)}/s`);
    if (completedBytes < totalBytes) {
      parts.push(`${formatSeconds((totalBytes - completedBytes) / rate)} left`);
    }
  }
  return parts.join(' · ');
};
