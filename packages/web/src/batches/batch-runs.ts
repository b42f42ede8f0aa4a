/** The runs of `tollama batch`, asked for while the view is open. */
import type { BatchRun } from '@tollama/core/batch-run';
import { ask } from '../daemon/connection.ts';
import { type Problem, problemOf } from '../ui/problem.ts';
import { createStore } from '../ui/store.ts';

export interface BatchRuns {
  readonly batches: readonly BatchRun[] | undefined;
  readonly problem: Problem | undefined;
}

export const batchRuns = createStore<BatchRuns>({ batches: undefined, problem: undefined });

export const readBatches = async (): Promise<void> => {
  try {
    batchRuns.set({ batches: await ask((daemon) => daemon.batches()), problem: undefined });
  } catch (error) {
    batchRuns.update((before) => ({ ...before, problem: problemOf(error) }));
  }
};

/** Does something to a run and looks again; what went wrong is shown above the list. */
const change = async (work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
    await readBatches();
  } catch (error) {
    batchRuns.update((before) => ({ ...before, problem: problemOf(error) }));
  }
};

export const stopBatch = (id: string): Promise<void> =>
  change(() => ask((daemon) => daemon.stopBatch(id)));

export const forgetBatch = (id: string): Promise<void> =>
  change(() => ask((daemon) => daemon.forgetBatch(id)));
