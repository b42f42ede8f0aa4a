/** Makes what a training left a model of the store. */
import { cp, rm } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import { metadataOf } from '@tollama/core/model-facts';
import type { JobConfig, JobResult } from '@tollama/core/training-job';
import type { LoadedModels } from '../loaded/loaded-models.ts';
import { pullFromFolder } from '../pull/pull-folder.ts';
import { type PullParts, pullContext } from '../pull/pull-options.ts';
import { copyModel } from '../store/copy-model.ts';

export interface InstallContext extends PullParts {
  readonly loaded: LoadedModels;
}

/** What a manifest tells of its training; a model without it is not ours to replace. */
const trainingOf = (job: JobConfig, { step, before, after, found }: JobResult) => ({
  training: {
    ...{ job: job.id, adapter: job.options.adapter, steps: step, before, after },
    ...(found && { found }),
  },
});

/** @throws TollamaError MODEL_EXISTS for a name that belongs to a model which no training made */
export const checkTrainedName = async (
  name: string,
  { store }: Pick<InstallContext, 'store'>,
): Promise<void> => {
  const taken = await store.find(name);
  if (!taken || taken.metadata?.training) return;
  throw new TollamaError('MODEL_EXISTS', `model '${name}' exists already`, {
    hint: `tollama rm ${name}, or choose another --name`,
  });
};

const installAdapter = async (
  job: JobConfig,
  result: JobResult,
  { home, store }: InstallContext,
): Promise<void> => {
  const { adapter } = home.model(job.name);
  const base = await copyModel(job.base!.model, job.name, home, store);
  await cp(result.output!.folder, adapter, { recursive: true });
  await store.write({
    ...base,
    adapter_path: adapter,
    description: `${job.options.adapter} adapter of ${job.base!.model}`,
    metadata: { ...base.metadata, ...trainingOf(job, result) },
  });
};

/** A folder of config.json and weights, as the job's model. */
const installFolder = async (
  job: JobConfig,
  result: JobResult,
  folder: string,
  context: InstallContext,
): Promise<void> => {
  const { home, store } = context;
  const { snapshot } = home.model(job.name);
  const { sizeBytes, files } = await pullFromFolder(folder, snapshot);
  const facts = await pullContext(context).inspect(job.name, snapshot);
  const base = job.base && (await store.find(job.base.model));
  const now = new Date().toISOString();
  const free = { type: 'none', needs_acceptance: false, accepted: true, accepted_at: null };
  await store.write({
    name: job.name,
    family: facts.family,
    source: {
      type: 'local',
      repo_id: `trained/${job.base?.model ?? facts.family}`,
      revision: job.id,
    },
    resolved: { commit_sha: 'local', snapshot_path: snapshot },
    size_bytes: sizeBytes,
    pulled_at: now,
    installed_at: now,
    license: base?.license ?? free,
    metadata: { ...metadataOf(facts), ...trainingOf(job, result) },
    capabilities: facts.capabilities.covariates,
    files,
  });
};

/** An adapter whose base came with the program: the base is installed with it. */
const installBoxed = async (
  job: JobConfig,
  result: JobResult,
  context: InstallContext,
): Promise<void> => {
  const { folder, base_folder } = result.output!;
  const { adapter } = context.home.model(job.name);
  await installFolder(job, result, base_folder!, context);
  await cp(folder, adapter, { recursive: true });
  await context.store.write({
    ...(await context.store.get(job.name)),
    adapter_path: adapter,
    description: `${job.options.adapter} adapter of ${job.base!.model}`,
  });
};

/** Installs under the job's name; what an earlier training left there is replaced. */
export const installTrained = async (
  job: JobConfig,
  result: JobResult,
  context: InstallContext,
): Promise<void> => {
  await checkTrainedName(job.name, context);
  await context.loaded.remove(job.name);
  await context.store.change(job.name, () => replaceModel(job, result, context));
};

const replaceModel = async (
  job: JobConfig,
  result: JobResult,
  context: InstallContext,
): Promise<void> => {
  await context.store.remove(job.name);
  try {
    const { kind, folder, base_folder } = result.output!;
    if (kind === 'model') await installFolder(job, result, folder, context);
    else if (base_folder) await installBoxed(job, result, context);
    else await installAdapter(job, result, context);
  } catch (error) {
    await rm(context.home.model(job.name).folder, { recursive: true, force: true });
    throw error;
  }
};
