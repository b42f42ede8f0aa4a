/** The models that this runner holds, by name and session options. */
import { TollamaError } from '@tollama/core/errors';
import type { ModelReference, SessionChoice } from '@tollama/core/runner-protocol';
import { builtInModel } from './built-in.ts';
import type { ReadyModel } from './ready-model.ts';

export interface LoadedModelsOptions {
  readonly threads: number;
}

const refuseWithoutWeights = (model: string): never => {
  throw new TollamaError('MODEL_UNSUPPORTED', `model '${model}' has no weights to run`, {
    hint: 'pull it first; `tollama run auto` forecasts without weights',
  });
};

export class LoadedModels {
  readonly #options: LoadedModelsOptions;
  readonly #models = new Map<string, { name: string; model: Promise<ReadyModel> }>();

  constructor(options: LoadedModelsOptions) {
    this.#options = options;
  }

  /** The model, loaded now if it is not yet; concurrent calls load once. */
  get(reference: ModelReference, choice: SessionChoice): Promise<ReadyModel> {
    const key = JSON.stringify([
      reference.model,
      reference.model_local_dir,
      reference.model_adapter_dir ?? null,
      choice,
    ]);
    const known = this.#models.get(key);
    if (known) return known.model;
    const model = this.#open(reference, choice);
    this.#models.set(key, { name: reference.model, model });
    model.catch(() => this.#models.delete(key));
    return model;
  }

  /** The model as `get` gives it, and what it is. */
  async load(reference: ModelReference, choice: SessionChoice): Promise<unknown> {
    const model = await this.get(reference, choice);
    return { loaded: true, model: reference.model, ...facts(model), load_ms: model.loadMs };
  }

  /**
   * What a model can do, or which models are loaded; no weight is read.
   *
   * @throws TollamaError MODEL_UNSUPPORTED for a model without weights that is not built in
   */
  async describe(reference: ModelReference | undefined): Promise<unknown> {
    if (!reference) return { loaded: [...this.#models.values()].map(({ name }) => name) };
    const { model, model_local_dir: folder } = reference;
    const builtIn = await builtInModel(reference, this.#options.threads);
    if (builtIn) return { model, ...facts(builtIn) };
    const { inspectModel } = await import('@tollama/models/inspect-model');
    return { model, ...(await inspectModel(folder || refuseWithoutWeights(model))) };
  }

  /** Frees one model, or all. */
  async unload(name: string | undefined): Promise<void> {
    for (const [key, entry] of [...this.#models]) {
      if (name !== undefined && entry.name !== name) continue;
      this.#models.delete(key);
      const model = await entry.model.catch(() => undefined);
      await model?.[Symbol.asyncDispose]();
    }
  }

  async #open(reference: ModelReference, choice: SessionChoice): Promise<ReadyModel> {
    const started = performance.now();
    const builtIn = await builtInModel(reference, this.#options.threads);
    if (builtIn) return builtIn;
    const folder = reference.model_local_dir || refuseWithoutWeights(reference.model);
    const { openModel } = await import('@tollama/models/open-model');
    const model = await openModel(folder, {
      threads: this.#options.threads,
      ...choice,
      cacheDir: reference.model_cache_dir ?? undefined,
      adapter: reference.model_adapter_dir ?? undefined,
    });
    return {
      family: model.family,
      capabilities: model.capabilities,
      device: model.device,
      precision: model.precision,
      sizeBytes: model.checkpoint.sizeBytes,
      loadMs: performance.now() - started,
      forecast: (task, signal) => model.forecast(task, signal),
      [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
    };
  }
}

const facts = (model: ReadyModel): Record<string, unknown> => ({
  family: model.family,
  capabilities: model.capabilities,
  device: model.device,
  precision: model.precision,
  size_bytes: model.sizeBytes,
});
