/** A model with random weights of a published architecture: for measuring speed without a download. */
import { rm } from 'node:fs/promises';
import { ModelFacts, metadataOf } from '@tollama/core/model-facts';
import type { DaemonContext } from '../context.ts';

export interface RandomModel {
  readonly config: Readonly<Record<string, unknown>>;
  readonly family?: string | null | undefined;
  readonly seed: number;
}

const TIMEOUT_MS = 600_000;

/** Has a runner write the checkpoint, then installs it. Nothing stays behind when it fails. */
export const createRandomModel = async (
  name: string,
  random: RandomModel,
  context: DaemonContext,
): Promise<unknown> => {
  const { home, store, supervisor } = context;
  const { snapshot, folder } = home.model(name);
  try {
    const params = { ...random, output_dir: snapshot };
    const answer = await supervisor.callAlone('create', params, { timeoutMs: TIMEOUT_MS });
    const facts = ModelFacts.parse(answer);
    const { family, parameters, size_bytes } = facts;
    const now = new Date().toISOString();
    await store.write({
      name,
      family,
      source: { type: 'local', repo_id: `random/${family}`, revision: String(random.seed) },
      resolved: { commit_sha: 'local', snapshot_path: snapshot },
      size_bytes,
      pulled_at: now,
      installed_at: now,
      license: { type: 'none', needs_acceptance: false, accepted: true, accepted_at: null },
      metadata: metadataOf(facts),
      capabilities: facts.capabilities.covariates,
    });
    return { status: 'success', model: name, family, parameters, size: size_bytes };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
};
