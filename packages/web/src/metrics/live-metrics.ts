/** Reads the metrics every other second, as long as the view is open and not paused. */
import { useEffect } from 'preact/hooks';
import { ask } from '../daemon/connection.ts';
import { startPoll } from '../daemon/poll.ts';
import { type Problem, problemOf } from '../ui/problem.ts';
import { createStore, useStore } from '../ui/store.ts';
import { type Reading, readMetrics, remember } from './history.ts';

export interface LiveMetrics {
  readonly readings: readonly Reading[];
  readonly problem: Problem | undefined;
}

const INTERVAL_MS = 2000;

/** Kept beyond the view: who comes back sees what was. */
const metrics = createStore<LiveMetrics>({ readings: [], problem: undefined });

const read = async (): Promise<void> => {
  try {
    const reading = readMetrics(await ask((daemon) => daemon.metrics()), performance.now());
    metrics.update(({ readings }) => ({
      readings: remember(readings, reading),
      problem: undefined,
    }));
  } catch (error) {
    metrics.update((before) => ({ ...before, problem: problemOf(error) }));
  }
};

export const useLiveMetrics = (isPaused: boolean): LiveMetrics => {
  useEffect(() => {
    if (isPaused) return undefined;
    return startPoll(read, INTERVAL_MS).stop;
  }, [isPaused]);
  return useStore(metrics);
};
