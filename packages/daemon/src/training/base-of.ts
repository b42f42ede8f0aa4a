/** The installed model that a training starts from. */
import { TollamaError } from '@tollama/core/errors';
import { isNanoName, isStatisticalName } from '@tollama/core/statistical';
import type { JobConfig } from '@tollama/core/training-job';
import { VERSION } from '@tollama/core/version';
import type { DaemonContext } from '../context.ts';

/** @throws TollamaError MODEL_NOT_FOUND, MODEL_UNSUPPORTED without weights */
export const baseOf = async (
  model: string,
  { store }: Pick<DaemonContext, 'store'>,
): Promise<NonNullable<JobConfig['base']>> => {
  if (isStatisticalName(model)) {
    throw new TollamaError('MODEL_UNSUPPORTED', `'${model}' has no weights to train`, {
      hint: 'train tollama-nano, chronos-bolt-small, or a model from scratch with --from-scratch',
    });
  }
  if (isNanoName(model)) return { model: 'tollama-nano', revision: VERSION, folder: null };
  const { resolved, adapter_path } = await store.get(model);
  if (!resolved?.snapshot_path) {
    throw new TollamaError('MODEL_UNSUPPORTED', `model '${model}' has no files to train`);
  }
  return {
    model,
    revision: resolved.commit_sha,
    folder: resolved.snapshot_path,
    ...(adapter_path && { adapter: adapter_path }),
  };
};
