/** `cp`: the same model under another name; weights are linked, not copied. */
import { rm } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import type { Manifest } from '@tollama/core/manifest';
import { checkModelName } from '@tollama/core/model-name';
import { pullFromFolder } from '../pull/pull-folder.ts';
import type { Home } from './home.ts';
import { writeReceipt } from './license-receipt.ts';
import type { ModelStore } from './model-store.ts';

/** Throws MODEL_NOT_FOUND, or MODEL_EXISTS for a destination that is taken. */
export const copyModel = async (
  source: string,
  destination: string,
  home: Home,
  store: ModelStore,
): Promise<Manifest> => {
  const from = await store.get(source);
  const name = checkModelName(destination);
  if (await store.find(name)) {
    throw new TollamaError('MODEL_EXISTS', `model '${name}' exists already`, {
      hint: `tollama rm ${name}, or choose another name`,
    });
  }
  const own = home.model(source).snapshot;
  const copy = { ...from, name, installed_at: new Date().toISOString() };
  try {
    // Files in the hub's cache belong to nobody; those of a model's own folder go with it.
    if (from.resolved?.snapshot_path === own && from.size_bytes > 0) {
      const { snapshot } = home.model(name);
      await pullFromFolder(own, snapshot);
      copy.resolved = { ...from.resolved, snapshot_path: snapshot };
    }
    await store.write(copy);
    await writeReceipt(home, copy);
    return copy;
  } catch (error) {
    await rm(home.model(name).folder, { recursive: true, force: true });
    // Removed while it was copied: that is what the caller should hear of, not of the file that was first missed.
    await store.get(source);
    throw error;
  }
};
