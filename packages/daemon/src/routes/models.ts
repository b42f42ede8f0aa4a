/** The models: what is installed, loaded and on offer; show, pull, create, delete. */

import { NO_COVARIATES } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import type { Manifest, RegistryEntry } from '@tollama/core/manifest';
import { withoutLatest } from '@tollama/core/model-name';
import { ModelReference } from '@tollama/core/model-reference';
import { EMBEDDED_MODEL_NAMES, STATISTICAL_FAMILY } from '@tollama/core/statistical';
import { Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { readBody } from '../http/json-body.ts';
import { residentBytes } from '../runner/resident-memory.ts';
import { removeReceipt } from '../store/license-receipt.ts';
import { modelMissing } from '../store/model-missing.ts';

export const ModelBody = z.strictObject({ model: ModelReference });

const details = (family: string) => ({
  format: 'tollama',
  family,
  families: [family],
  parameter_size: '',
  quantization_level: '',
});

const tag = (manifest: Manifest) => ({
  name: manifest.name,
  model: manifest.name,
  modified_at: manifest.installed_at,
  size: manifest.size_bytes,
  digest: manifest.resolved?.commit_sha ?? '',
  details: details(manifest.family),
});

const show = (manifest: Manifest) => ({
  name: manifest.name,
  model: manifest.name,
  modified_at: manifest.installed_at,
  family: manifest.family,
  source: manifest.source,
  resolved: manifest.resolved,
  digest: manifest.resolved?.commit_sha ?? null,
  size: manifest.size_bytes,
  snapshot_path: manifest.resolved?.snapshot_path ?? null,
  license: manifest.license,
  modelfile: manifest.modelfile ?? '',
  parameters: Object.entries(manifest.defaults ?? {})
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
    .join('\n'),
  adapter: manifest.adapter_path ?? null,
  description: manifest.description ?? null,
  metadata: manifest.metadata ?? {},
});

const listed = (model: RegistryEntry | Manifest, installed: Manifest | undefined) => ({
  name: model.name,
  family: model.family,
  installed: installed !== undefined,
  license: { ...model.license, accepted: installed?.license.accepted ?? false },
  source: model.source,
  metadata: model.metadata ?? {},
  capabilities: model.capabilities ?? NO_COVARIATES,
});

/** The models that are always there. */
const embedded = EMBEDDED_MODEL_NAMES.map((name) => ({
  name,
  family: STATISTICAL_FAMILY,
  installed: true,
  license: { type: 'apache-2.0', needs_acceptance: false, accepted: true },
  source: { type: 'local', repo_id: `tollama/${name}`, revision: 'main' },
  metadata: { embedded: true },
  capabilities: NO_COVARIATES,
}));

const byName = <T extends { readonly name: string }>(a: T, b: T): number =>
  a.name < b.name ? -1 : 1;

/** Resident memory of each loaded model: its runner's, shared out by the size of the weights. */
const loadedSizes = async ({ loaded, supervisor }: DaemonContext): Promise<Map<string, number>> => {
  const models = loaded.list();
  const sizes = new Map<string, number>();
  for (const family of new Set(models.map((model) => model.family))) {
    const own = models.filter((model) => model.family === family);
    const pid = supervisor.pidOf(family);
    const resident = (pid === undefined ? undefined : await residentBytes(pid)) ?? 0;
    const weights = own.reduce((sum, { weightBytes }) => sum + weightBytes, 0);
    for (const { name, weightBytes } of own) {
      const share = weights > 0 ? weightBytes / weights : 1 / own.length;
      sizes.set(name, Math.round(resident * share));
    }
  }
  return sizes;
};

export const modelRoutes = (context: DaemonContext): Hono => {
  const { store, registry, loaded, settings } = context;

  const remove = async (name: string): Promise<void> => {
    if (!(await store.find(name))) {
      throw modelMissing(name, '`tollama list` shows what is');
    }
    // Only a model that is loaded needs its runner; deleting never starts one.
    await loaded.remove(name);
    await store.change(name, async () => {
      await store.remove(name);
      await removeReceipt(context.home, name);
    });
  };

  return new Hono()
    .get('/api/tags', async (c) => c.json({ models: (await store.list()).map(tag) }))
    .post('/api/show', async (c) => {
      const { model } = await readBody(c, ModelBody, settings.maxBodyBytes);
      return c.json(show(await store.get(model)));
    })
    .get('/api/ps', async (c) => {
      const sizes = await loadedSizes(context);
      const models = loaded.list().map((model) => ({
        name: model.name,
        model: model.name,
        expires_at: model.expiresAt === null ? null : new Date(model.expiresAt).toISOString(),
        size: sizes.get(model.name) ?? 0,
        size_vram: 0,
        weights: model.weightBytes,
        context_length: model.contextLength,
        details: { family: model.family },
      }));
      return c.json({ models });
    })
    .post('/api/stop', async (c) => {
      const { model } = await readBody(c, ModelBody, settings.maxBodyBytes);
      const isLoaded = loaded.list().some(({ name }) => name === model);
      if (!isLoaded)
        throw new TollamaError('MODEL_NOT_FOUND', `model '${model}' is not loaded`, {
          hint: '`tollama ps` shows what is',
        });
      await loaded.remove(model);
      return c.json({ status: 'success', model });
    })
    .delete('/api/delete', async (c) => {
      const { model } = await readBody(c, ModelBody, settings.maxBodyBytes);
      await remove(model);
      return c.json({ deleted: true, model });
    })
    .delete('/v1/models/:name', async (c) => {
      const name = withoutLatest(c.req.param('name'));
      await remove(name);
      return c.json({ removed: true, name });
    })
    .get('/v1/models', async (c) => {
      const [entries, manifests] = [await registry.entries(), await store.list()];
      const installed = new Map(manifests.map((manifest) => [manifest.name, manifest]));
      const known = entries.map((entry) => listed(entry, installed.get(entry.name)));
      const names = new Set(known.map(({ name }) => name));
      return c.json({
        available: [...known, ...embedded.filter(({ name }) => !names.has(name))].toSorted(byName),
        installed: manifests.map((manifest) => listed(manifest, manifest)),
      });
    });
};
