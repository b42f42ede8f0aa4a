/** The switch of all Chronos pipelines against horizons that a model was not trained for. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type { Task } from './family.ts';
import { readOptions } from './read-options.ts';

const Options = z.object({
  /** Whether a horizon beyond the model's own is refused. */
  limit_prediction_length: z.boolean().default(false),
});

/**
 * Throws where `limit_prediction_length` is on and the horizon is beyond the model's own.
 *
 * @param native steps of the model
 * @throws TollamaError INVALID_REQUEST
 */
export const limitHorizon = (
  task: Pick<Task, 'horizon' | 'options'>,
  native: number,
  family: string,
): void => {
  const { limit_prediction_length } = readOptions(Options, task, family);
  if (!limit_prediction_length || task.horizon <= native) return;
  throw new TollamaError(
    'INVALID_REQUEST',
    `horizon ${task.horizon} is beyond the ${native} steps of the model, and options.limit_prediction_length is true`,
    { hint: `ask for at most ${native} steps, or leave limit_prediction_length out` },
  );
};
