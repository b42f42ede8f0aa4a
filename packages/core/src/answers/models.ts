/** Answers about models: what is installed, loaded, on offer. Sizes in bytes, times in ISO-8601 UTC. */
import { z } from 'zod';
import { CovariateSupport } from '../capabilities.ts';
import { ManifestLicense, ModelSource } from '../manifest.ts';
import type { Answer } from './answer.ts';

const Facts = z.record(z.string(), z.unknown());

/** An installed model, as `/api/tags` lists it. */
export const TaggedModel = z.object({
  name: z.string(),
  model: z.string(),
  modified_at: z.string(),
  size: z.int(),
  digest: z.string().describe('commit of the repository; empty for a local model'),
  details: z.object({
    format: z.literal('tollama'),
    family: z.string(),
    families: z.array(z.string()),
    parameter_size: z.string(),
    quantization_level: z.string(),
  }),
});

export const TagsResponse = z.object({ models: z.array(TaggedModel) });
export type TagsResponse = Answer<typeof TagsResponse>;

/** A loaded model. */
export const LoadedModel = z.object({
  name: z.string(),
  model: z.string(),
  expires_at: z.string().nullable().describe('when it leaves memory; null: never'),
  size: z.int().describe('resident memory: its share of its process'),
  size_vram: z.int(),
  weights: z.int(),
  context_length: z.int().nullable().describe('points of history that it reads; null: all'),
  details: z.object({ family: z.string() }),
});

export const PsResponse = z.object({ models: z.array(LoadedModel) });
export type PsResponse = Answer<typeof PsResponse>;

/** All about an installed model. */
export const ShowResponse = z.object({
  name: z.string(),
  model: z.string(),
  modified_at: z.string(),
  family: z.string(),
  source: ModelSource,
  resolved: z.object({ commit_sha: z.string(), snapshot_path: z.string().nullable() }).nullable(),
  digest: z.string().nullable(),
  size: z.int(),
  snapshot_path: z.string().nullable(),
  license: ManifestLicense,
  modelfile: z.string().describe('the Modelfile that made it; empty where none did'),
  parameters: z.string().describe('defaults of its requests, one a line'),
  adapter: z.string().nullable().describe('folder of the adapter'),
  description: z.string().nullable(),
  metadata: Facts,
});
export type ShowResponse = Answer<typeof ShowResponse>;

export const ListedModel = z.object({
  name: z.string(),
  family: z.string(),
  installed: z.boolean(),
  license: z.object({
    type: z.string(),
    needs_acceptance: z.boolean(),
    accepted: z.boolean(),
    accepted_at: z.string().nullish(),
    notice: z.string().nullish().describe('what the licence asks, and where it is'),
  }),
  source: z.object({ type: z.string(), repo_id: z.string(), revision: z.string() }),
  metadata: Facts,
  capabilities: CovariateSupport,
});
export type ListedModel = Answer<typeof ListedModel>;

export const ModelsResponse = z.object({
  available: z.array(ListedModel),
  installed: z.array(ListedModel),
});
export type ModelsResponse = Answer<typeof ModelsResponse>;

export const CapabilitiesResponse = z.object({
  model: z.string(),
  family: z.string(),
  capabilities: CovariateSupport,
  limits: Facts.describe('those of the metadata that bound a request'),
  metadata: Facts,
  runtime: z.object({ ready: z.boolean(), running: z.boolean() }),
});
export type CapabilitiesResponse = Answer<typeof CapabilitiesResponse>;

export const StoppedModel = z.object({ status: z.literal('success'), model: z.string() });

export const CopiedModel = z.object({
  status: z.literal('success'),
  model: z.string(),
  source: z.string(),
});

export const DeletedModel = z.object({ deleted: z.literal(true), model: z.string() });

export const RemovedModel = z.object({ removed: z.literal(true), name: z.string() });

export const PruneResponse = z.object({
  status: z.literal('success'),
  dry_run: z.boolean(),
  removed: z.array(z.object({ path: z.string(), bytes: z.int() })),
  freed_bytes: z.int(),
});
export type PruneResponse = Answer<typeof PruneResponse>;
