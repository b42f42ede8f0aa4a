import { TollamaError } from '@tollama/core/errors';

/** Refuses a graph. Throws GRAPH_INVALID. */
export const misfit = (message: string): never => {
  throw new TollamaError('GRAPH_INVALID', message);
};
