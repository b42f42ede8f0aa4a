/** `pull`: from a name, a hub reference or a folder to an installed model. */
import { mkdir, rm } from 'node:fs/promises';
import { basename, isAbsolute } from 'node:path';
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import type { Manifest, RegistryEntry } from '@tollama/core/manifest';
import { type ModelFacts, metadataOf } from '@tollama/core/model-facts';
import { checkModelName, parseHubReference } from '@tollama/core/model-name';
import { isEmbeddedName } from '@tollama/core/statistical';
import type { Home } from '../store/home.ts';
import { writeReceipt } from '../store/license-receipt.ts';
import { modelMissing } from '../store/model-missing.ts';
import type { ModelStore } from '../store/model-store.ts';
import type { RegistryFile } from '../store/registry-file.ts';
import type { HubOptions } from './hub.ts';
import { type EmitPullEvent, type PullEvent, PullProgress } from './progress.ts';
import { pullFromFolder } from './pull-folder.ts';
import { pullFromHub } from './pull-hub.ts';
import { SharedWork } from './shared-work.ts';

export interface PullOptions {
  readonly acceptLicense: boolean;
  /** Name to install under; by default the registry's, the repository's or the folder's. */
  readonly name?: string | undefined;
  readonly hub: HubOptions;
  readonly cacheDir: string;
  readonly maxWorkers: number;
  readonly partBytes: number;
  readonly isOffline: boolean;
}

/** What a checkpoint is, found by a runner; the daemon itself knows no families. */
export type InspectModel = (model: string, folder: string) => Promise<ModelFacts>;

export interface PullContext {
  readonly home: Home;
  readonly store: ModelStore;
  readonly registry: RegistryFile;
  readonly inspect: InspectModel;
  readonly now: () => Date;
}

/** family undefined: found out after the files have come. */
export type PullTarget = Omit<RegistryEntry, 'family'> & { readonly family: string | undefined };

const unlisted = (name: string, source: RegistryEntry['source']): PullTarget => ({
  name: checkModelName(name),
  family: undefined,
  source,
  license: { type: 'unknown', needs_acceptance: false },
  metadata: {},
  capabilities: null,
});

/** Finds what a name means: a registry entry, `owner/name[@revision]`, or an absolute path. Throws MODEL_NOT_FOUND. */
export const findPullTarget = async (
  model: string,
  registry: RegistryFile,
  name?: string,
): Promise<PullTarget> => {
  const entry = await registry.find(model);
  if (entry) return name === undefined ? entry : { ...entry, name: checkModelName(name) };
  const folder = model.replace(/^file:\/\//, '');
  if (isAbsolute(folder)) {
    return unlisted(name ?? basename(folder), {
      type: 'folder',
      repo_id: folder,
      revision: 'main',
    });
  }
  const hub = parseHubReference(model);
  if (hub) {
    return unlisted(name ?? hub.repoId.split('/')[1]!, {
      type: 'huggingface',
      repo_id: hub.repoId,
      revision: hub.revision,
    });
  }
  if (isEmbeddedName(model)) throw modelMissing(model, '');
  const near = didYouMean(
    model,
    (await registry.entries()).map((known) => known.name),
  );
  throw new TollamaError('MODEL_NOT_FOUND', `model '${model}' is not defined in the registry`, {
    hint: near
      ? `did you mean '${near}'?`
      : 'use a name of `tollama list --available`, or owner/name of the hub',
  });
};

/** Throws LICENSE_REQUIRED unless the licence needs no acceptance, is accepted now, or was before. */
export const checkLicense = (
  target: PullTarget,
  accepted: boolean,
  installed: Manifest | undefined,
): void => {
  const { license, name } = target;
  if (!license.needs_acceptance || accepted || installed?.license.accepted) return;
  const notice = license.notice ? `: ${license.notice}` : '';
  throw new TollamaError(
    'LICENSE_REQUIRED',
    `model '${name}' requires license acceptance; ${license.type}${notice}`,
    {
      hint: 'read the licence, then repeat with --accept-license (accept_license: true)',
    },
  );
};

interface Fetched {
  readonly commit: string;
  readonly path: string;
  readonly sizeBytes: number;
  readonly files?: Readonly<Record<string, string>>;
}

const fetchFiles = async (
  target: PullTarget,
  context: PullContext,
  options: PullOptions,
  emit: EmitPullEvent,
): Promise<Fetched> => {
  const paths = context.home.model(target.name);
  const progress = new PullProgress(emit);
  const { source } = target;
  if (source.type === 'huggingface') {
    return pullFromHub({
      repoId: source.repo_id,
      revision: source.revision,
      cacheDir: options.cacheDir,
      hub: options.hub,
      maxWorkers: options.maxWorkers,
      partBytes: options.partBytes,
      isOffline: options.isOffline,
      progress,
    });
  }
  progress.resolved('local');
  if (source.type === 'folder') {
    const copied = await pullFromFolder(source.repo_id, paths.snapshot);
    return { commit: 'local', path: paths.snapshot, ...copied };
  }
  await mkdir(paths.snapshot, { recursive: true });
  return { commit: 'local', path: paths.snapshot, sizeBytes: 0 };
};

/** A target that the registry does not know, with what its files tell. */
const inspected = async (
  target: PullTarget,
  context: PullContext,
  folder: string,
): Promise<PullTarget> => {
  const facts = await context.inspect(target.name, folder);
  return {
    ...target,
    family: facts.family,
    metadata: metadataOf(facts),
    capabilities: facts.capabilities.covariates,
  };
};

const manifestFor = (
  target: PullTarget & { family: string },
  fetched: Fetched,
  accepted: boolean,
  before: Manifest | undefined,
  now: string,
): Manifest => ({
  name: target.name,
  family: target.family,
  source: target.source,
  resolved: { commit_sha: fetched.commit, snapshot_path: fetched.path },
  size_bytes: fetched.sizeBytes,
  pulled_at: now,
  installed_at: before?.installed_at ?? now,
  license: {
    ...target.license,
    accepted: accepted || before?.license.accepted || !target.license.needs_acceptance,
    accepted_at: accepted ? now : (before?.license.accepted_at ?? null),
  },
  metadata: target.metadata ?? {},
  capabilities: target.capabilities ?? null,
  files: fetched.files ?? null,
});

type Pulled = PullEvent & { status: 'success' };

const sharedPulls = new WeakMap<ModelStore, SharedWork<PullEvent, Pulled>>();

const sharedPullsOf = (store: ModelStore): SharedWork<PullEvent, Pulled> => {
  const shared = sharedPulls.get(store) ?? new SharedWork<PullEvent, Pulled>();
  sharedPulls.set(store, shared);
  return shared;
};

/** Equal for pulls that would do the same. */
const pullKey = ({ name, source }: PullTarget, options: PullOptions): string => {
  const { acceptLicense, cacheDir, isOffline, hub } = options;
  const { endpoint, network, token } = hub;
  return JSON.stringify([
    name,
    source,
    acceptLicense,
    cacheDir,
    isOffline,
    endpoint,
    network,
    token,
  ]);
};

/**
 * Brings a model in and writes its manifest last. Whatever fails, what was installed before stays. Pulls of the
 * same at the same time are one pull; others to the same name wait for each other.
 *
 * @param emit gets the statuses as they come
 * @returns the closing status
 */
export const pullModel = (
  target: PullTarget,
  context: PullContext,
  options: PullOptions,
  emit: EmitPullEvent,
): Promise<Pulled> => {
  const { name } = target;
  const caller = { emit, signal: options.hub.signal };
  return sharedPullsOf(context.store).run(pullKey(target, options), caller, (tell, signal) => {
    if (context.store.isChanging(name)) {
      tell({ status: 'warning', message: `waiting for another change of '${name}'` });
    }
    return context.store.change(name, () => {
      signal.throwIfAborted();
      return pullAlone(target, context, { ...options, hub: { ...options.hub, signal } }, tell);
    });
  });
};

const pullAlone = async (
  target: PullTarget,
  context: PullContext,
  options: PullOptions,
  emit: EmitPullEvent,
): Promise<Pulled> => {
  const before = await context.store.find(target.name);
  checkLicense(target, options.acceptLicense, before);
  const isPresent = before?.resolved && target.source.type !== 'folder';
  if (isPresent) emit({ status: 'already present', model: target.name });
  else emit({ status: 'pulling manifest' });
  if (isPresent && target.source.type === 'local') return success(before);
  try {
    const fetched = await fetchFiles(
      target,
      context,
      options,
      isPresent ? onlyDownloads(emit) : emit,
    );
    const known =
      target.family === undefined ? await inspected(target, context, fetched.path) : target;
    const manifest = manifestFor(
      known as PullTarget & { family: string },
      fetched,
      options.acceptLicense,
      before,
      context.now().toISOString(),
    );
    await context.store.write(manifest);
    await writeReceipt(context.home, manifest);
    return success(manifest);
  } catch (error) {
    if (!before) await rm(context.home.model(target.name).folder, { recursive: true, force: true });
    // What is there still works: a hub that is away must not break a model that is installed.
    if (before && isPresent && error instanceof TollamaError && error.code === 'PULL_FAILED') {
      emit({ status: 'warning', message: `could not look for an update: ${error.message}` });
      return success(before);
    }
    throw error;
  }
};

/** A model that is up to date tells nothing of how that was found out. */
const onlyDownloads =
  (emit: EmitPullEvent): EmitPullEvent =>
  (event) => {
    if (event.status === 'downloading' || event.status === 'warning') emit(event);
  };

const success = (manifest: Manifest): Pulled => ({
  status: 'success',
  model: manifest.name,
  digest: manifest.resolved?.commit_sha ?? 'local',
  size: manifest.size_bytes,
});
