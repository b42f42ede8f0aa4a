/** What the model store and the registry know of a model. */
import { z } from 'zod';
import { CovariateSupport } from './capabilities.ts';
import { MODEL_NAME } from './model-name.ts';

export const ModelSource = z.strictObject({
  /** local: needs no download; huggingface: a repository of the hub; folder: files that the user has. */
  type: z.enum(['local', 'huggingface', 'folder']),
  repo_id: z.string().min(1),
  revision: z.string().min(1).default('main'),
});
export type ModelSource = z.infer<typeof ModelSource>;

const LicenseTerms = z
  .strictObject({
    type: z.string().min(1).optional(),
    id: z.string().min(1).optional(),
    needs_acceptance: z.boolean().default(false),
    notice: z.string().nullish(),
  })
  .transform(({ type, id, needs_acceptance, notice }) => ({
    type: type ?? id ?? 'unknown',
    needs_acceptance,
    ...(notice ? { notice } : {}),
  }));

export const RegistryEntry = z.strictObject({
  name: z.string().regex(MODEL_NAME),
  family: z.string().min(1),
  source: ModelSource,
  license: LicenseTerms,
  defaults: z.record(z.string(), z.unknown()).nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  capabilities: CovariateSupport.nullish(),
});
export type RegistryEntry = z.infer<typeof RegistryEntry>;

export const Registry = z.strictObject({
  models: z
    .array(RegistryEntry)
    .min(1)
    .refine((models) => new Set(models.map(({ name }) => name)).size === models.length, {
      error: 'model names must be unique',
    }),
});

export const ManifestLicense = z.object({
  type: z.string(),
  needs_acceptance: z.boolean(),
  accepted: z.boolean(),
  accepted_at: z.string().nullable().default(null),
  notice: z.string().optional(),
});

/** models/<name>/manifest.json: a model is installed when it is there. Times are ISO-8601 UTC. */
export const Manifest = z.object({
  name: z.string().regex(MODEL_NAME),
  family: z.string().min(1),
  source: ModelSource,
  resolved: z
    .object({ commit_sha: z.string(), snapshot_path: z.string().nullable() })
    .nullable()
    .default(null),
  size_bytes: z.int().min(0).default(0),
  pulled_at: z.string().nullable().default(null),
  installed_at: z.string(),
  license: ManifestLicense,
  metadata: z.record(z.string(), z.unknown()).nullish(),
  capabilities: CovariateSupport.nullish(),
  /** sha256 of files that are not in the hub's cache, by their path. */
  files: z.record(z.string(), z.string()).nullish(),
  /** Fields of a request that hold where the request says nothing. */
  defaults: z.record(z.string(), z.unknown()).nullish(),
  /** Folder of a LoRA adapter that is merged into the weights. */
  adapter_path: z.string().nullish(),
  /** The Modelfile that made it. */
  modelfile: z.string().nullish(),
  description: z.string().nullish(),
});
export type Manifest = z.infer<typeof Manifest>;
