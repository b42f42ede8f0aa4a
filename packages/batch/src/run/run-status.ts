import { TollamaError } from '@tollama/core/errors';
import { type RunProgress, readProgress, readRunState, runPaths } from './run-folder.ts';
import { isRunLocked } from './run-lock.ts';

export interface BatchStatus {
  readonly state: 'running' | 'interrupted' | 'done';
  readonly model: string;
  readonly horizon: number;
  /** Finished files. */
  readonly parts: number;
  /** null before the first series. */
  readonly progress: RunProgress | null;
}

/** How the run of an output folder stands. Throws NOT_FOUND where there is none. */
export const batchStatus = async (output: string): Promise<BatchStatus> => {
  const paths = runPaths(output);
  const state = await readRunState(paths);
  if (!state) {
    throw new TollamaError('NOT_FOUND', `${output} holds no batch run`, {
      hint: 'name the folder that --output named',
    });
  }
  const isRunning = await isRunLocked(paths.lock);
  return {
    state: state.isDone ? 'done' : isRunning ? 'running' : 'interrupted',
    model: state.settings.model,
    horizon: state.settings.horizon,
    parts: state.parts.length,
    progress: (await readProgress(paths)) ?? null,
  };
};
