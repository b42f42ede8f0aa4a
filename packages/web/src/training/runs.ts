/** The trainings of the daemon, asked for while the view is open, and the curves of the one that is looked at. */
import type { JobState } from '@tollama/core/training-job';
import { ask, follow } from '../daemon/connection.ts';
import { type Problem, problemOf } from '../ui/problem.ts';
import { createStore } from '../ui/store.ts';
import { type Curves, NO_CURVES, withEvent } from './curves.ts';

export interface Runs {
  readonly jobs: readonly JobState[] | undefined;
  readonly problem: Problem | undefined;
}

export const runs = createStore<Runs>({ jobs: undefined, problem: undefined });

export const readRuns = async (): Promise<void> => {
  try {
    runs.set({ jobs: await ask((daemon) => daemon.trainings()), problem: undefined });
  } catch (error) {
    runs.update((before) => ({ ...before, problem: problemOf(error) }));
  }
};

/** Reads the events of a training to its end; `show` gets the curves as they grow. */
export const followRun = async (
  id: string,
  show: (curves: Curves) => void,
  signal: AbortSignal,
): Promise<void> => {
  let curves = NO_CURVES;
  for await (const { event, data } of follow((daemon) =>
    daemon.trainingEvents(id, 0, { signal }),
  )) {
    if (event === 'end') break;
    const next = withEvent(curves, event, data);
    if (next === curves) continue;
    curves = next;
    show(curves);
  }
  await readRuns();
};

export const stopRun = async (id: string): Promise<void> => {
  await ask((daemon) => daemon.stopTraining(id));
  await readRuns();
};

export const resumeRun = async (id: string): Promise<void> => {
  await ask((daemon) => daemon.resumeTraining(id));
  await readRuns();
};
