import { openCheckpoint } from '@tollama/graph';
import { writeMerged } from '@tollama/models/adapter/write-merged';

/**
 * Writes the adapter of a folder into the weights of the checkpoint that it was trained over.
 *
 * @throws TollamaError MODEL_UNSUPPORTED for a bottleneck, CHECKPOINT_INVALID for an adapter of another model
 */
export const mergeTrained = async (base: string, adapter: string, folder: string): Promise<void> =>
  writeMerged(await openCheckpoint(base), adapter, folder);
