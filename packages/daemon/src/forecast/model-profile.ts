/** What a model can do, as its own checkpoint says: asked of a runner once, kept while the model stays as it is. */
import { Capabilities, NO_COVARIATES } from '@tollama/core/capabilities';
import type { Manifest } from '@tollama/core/manifest';
import { isEmbeddedName, STATISTICAL_FAMILY } from '@tollama/core/statistical';
import { z } from 'zod';
import type { Supervisor } from '../runner/supervisor.ts';
import type { Home } from '../store/home.ts';
import { checkReceipt } from '../store/license-receipt.ts';
import type { ModelStore } from '../store/model-store.ts';
import { contextLimit, horizonLimit } from './model-limits.ts';

export interface ModelProfile {
  readonly name: string;
  /** The family whose runner serves it. */
  readonly family: string;
  /** The family that its checkpoint belongs to; differs where the registry groups families. */
  readonly architecture: string;
  readonly capabilities: Capabilities;
  /** Options that its Modelfile sets. */
  readonly options: Readonly<Record<string, unknown>>;
}

const Described = z.object({ family: z.string(), capabilities: Capabilities });

const INSPECT_TIMEOUT_MS = 60_000;

const UNLIMITED: Capabilities = {
  covariates: NO_COVARIATES,
  contextLength: null,
  nativeHorizon: null,
  maxHorizon: null,
  quantiles: [],
  multivariate: false,
  samples: false,
};

/** What the manifest alone tells. */
const capabilitiesOf = ({ metadata, capabilities }: Manifest): Capabilities => ({
  ...UNLIMITED,
  covariates: capabilities ?? NO_COVARIATES,
  contextLength: contextLimit(metadata) ?? null,
  nativeHorizon: horizonLimit(metadata) ?? null,
});

const optionsOf = ({ defaults }: Manifest): Readonly<Record<string, unknown>> => {
  const options = defaults?.options;
  return typeof options === 'object' && options !== null ? { ...options } : {};
};

export interface ModelProfilesOptions {
  readonly home: Home;
  readonly store: ModelStore;
  readonly supervisor: Supervisor;
}

export class ModelProfiles {
  readonly #options: ModelProfilesOptions;
  readonly #known = new Map<string, { readonly stamp: string; readonly profile: ModelProfile }>();

  constructor(options: ModelProfilesOptions) {
    this.#options = options;
  }

  /** @throws TollamaError MODEL_NOT_FOUND, LICENSE_REQUIRED */
  async of(name: string): Promise<ModelProfile> {
    if (isEmbeddedName(name)) {
      const family = STATISTICAL_FAMILY;
      return { name, family, architecture: family, capabilities: UNLIMITED, options: {} };
    }
    const manifest = await this.#options.store.get(name);
    await checkReceipt(this.#options.home, manifest);
    const stamp = `${manifest.installed_at} ${manifest.resolved?.commit_sha}`;
    const known = this.#known.get(name);
    if (known?.stamp === stamp) return known.profile;
    const profile = await this.#inspect(manifest);
    this.#known.set(name, { stamp, profile });
    return profile;
  }

  async #inspect(manifest: Manifest): Promise<ModelProfile> {
    const { name, family } = manifest;
    const fromManifest = {
      name,
      family,
      architecture: family,
      capabilities: capabilitiesOf(manifest),
      options: optionsOf(manifest),
    };
    const described = await this.#ask(manifest).catch(() => undefined);
    const parsed = Described.safeParse(described);
    if (!parsed.success) return fromManifest;
    const { family: architecture, capabilities } = parsed.data;
    return { ...fromManifest, architecture, capabilities };
  }

  /** A runner that is there is asked; else one is started for the question alone, since looking loads nothing. */
  #ask({ name, family, resolved }: Manifest): Promise<unknown> {
    const { supervisor } = this.#options;
    const place = resolved?.snapshot_path ?? null;
    const params = { model: name, model_family: family, model_local_dir: place };
    const options = { timeoutMs: INSPECT_TIMEOUT_MS };
    return supervisor.isRunning(family)
      ? supervisor.call(family, 'capabilities', params, options)
      : supervisor.isOwn(family)
        ? supervisor.callAlone('capabilities', params, options)
        : Promise.resolve(undefined);
  }
}
