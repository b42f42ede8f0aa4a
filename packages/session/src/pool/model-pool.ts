/** Models that are loaded once, on purpose, and kept until the pool closes. */
import type { ModelBackend } from '../backend/backend.ts';
import { inProcessBackend } from '../backend/in-process.ts';
import { TSAgentKitError, toSessionError } from '../errors/session-error.ts';
import { type Adapter, type AdapterFactory, createAdapter } from './adapter.ts';
import { adapterConfigOf, modelSizeOf } from './adapter-config.ts';
import { countLoad } from './load-metrics.ts';

export interface ModelPoolConfig {
  /** Names in the order of preference; never empty. */
  readonly adapters: readonly string[];
  readonly modelSizeByAdapter: Readonly<Record<string, string>>;
  readonly adapterKwargsByAdapter: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Wins over the device in an adapter's own settings. */
  readonly device: string | null;
  /** Loads the first `maxPreloadAdapters` at once; `ready` tells when. */
  readonly preload: boolean;
  /** 1 to 3. */
  readonly maxPreloadAdapters: number;
  /** Whether a configured adapter that is not loaded may be loaded when it is needed. */
  readonly allowLazyLoadOnMiss: boolean;
  readonly backend: ModelBackend;
  readonly createAdapter: AdapterFactory;
}

export interface PoolStats {
  readonly configured_adapters: readonly string[];
  readonly max_preload_adapters: number;
  readonly allow_lazy_load_on_miss: boolean;
  readonly loaded_adapters: readonly string[];
  readonly loaded_count: number;
  readonly details: Readonly<
    Record<
      string,
      {
        readonly model_size: string;
        readonly device: string | null;
        readonly load_time_ms: number;
        readonly load_count: number;
      }
    >
  >;
}

interface Entry {
  readonly adapter: Adapter;
  readonly loadMs: number;
}

export const DEFAULT_ADAPTERS = ['chronos', 'moirai', 'timesfm'] as const;
const MOST_PRELOADED = 3;

const checked = (config: Partial<ModelPoolConfig>): ModelPoolConfig => {
  const whole: ModelPoolConfig = {
    adapters: DEFAULT_ADAPTERS,
    modelSizeByAdapter: {},
    adapterKwargsByAdapter: {},
    device: null,
    preload: false,
    maxPreloadAdapters: MOST_PRELOADED,
    allowLazyLoadOnMiss: false,
    backend: config.backend ?? inProcessBackend(),
    createAdapter,
    ...config,
  };
  if (whole.adapters.length === 0) throw new RangeError('adapters is empty; name at least one');
  const most = whole.maxPreloadAdapters;
  if (!Number.isInteger(most) || most < 1 || most > MOST_PRELOADED) {
    throw new RangeError(`maxPreloadAdapters = ${most}; use 1 to ${MOST_PRELOADED}`);
  }
  return Object.freeze({ ...whole, adapters: Object.freeze([...whole.adapters]) });
};

/**
 * @example
 * const pool = new ModelPool({ adapters: ['chronos', 'auto'] });
 * await pool.preloadAll();
 * pool.get('chronos'); // the same adapter each time
 */
export class ModelPool implements AsyncDisposable {
  readonly config: ModelPoolConfig;
  /** Settles when the constructor's preload has; without one, at once. */
  readonly ready: Promise<readonly string[]>;
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<Adapter>>();
  readonly #loadCounts = new Map<string, number>();

  /** @throws RangeError without adapters, or for maxPreloadAdapters outside of 1 to 3 */
  constructor(config: Partial<ModelPoolConfig> = {}) {
    this.config = checked(config);
    this.ready = this.config.preload ? this.preloadAll() : Promise.resolve([]);
    // Whoever awaits `ready` hears of a failure; nobody has to.
    this.ready.catch(() => {});
  }

  /** Loads the first adapters in their order; gives their names. */
  async preloadAll(): Promise<string[]> {
    const names = this.config.adapters.slice(0, this.config.maxPreloadAdapters);
    for (const name of names) await this.preload(name);
    return [...names];
  }

  /** Loads one adapter unless it is loaded; concurrent calls load once. */
  async preload(name: string): Promise<Adapter> {
    this.#requireConfigured(name);
    const entry = this.#entries.get(name);
    if (entry) return entry.adapter;
    const underway = this.#loading.get(name);
    if (underway) return underway;
    const loading = this.#load(name).finally(() => this.#loading.delete(name));
    this.#loading.set(name, loading);
    return loading;
  }

  /**
   * The loaded adapter.
   *
   * @throws TSAgentKitError E_ADAPTER_NOT_AVAILABLE for a name that is not configured, E_MODEL_NOT_LOADED for
   * one that is not loaded
   */
  get(name: string): Adapter {
    this.#requireConfigured(name);
    const entry = this.#entries.get(name);
    if (entry) return entry.adapter;
    const { adapters, maxPreloadAdapters, allowLazyLoadOnMiss } = this.config;
    throw new TSAgentKitError('E_MODEL_NOT_LOADED', `adapter '${name}' is not loaded`, {
      context: {
        adapter_name: name,
        configured_adapters: adapters,
        loaded_adapters: [...this.#entries.keys()],
        max_preload_adapters: maxPreloadAdapters,
      },
      fixHint: allowLazyLoadOnMiss
        ? 'use acquire() or getOrLoad(), which load it'
        : `put '${name}' among the first ${maxPreloadAdapters} adapters with preload on, or allow lazy loading`,
    });
  }

  /** The adapter, loaded now if it is not: the caller asks for a load by name. */
  getOrLoad(name: string): Promise<Adapter> {
    return this.preload(name);
  }

  /** The adapter by the pool's own rule for misses: loaded only where `allowLazyLoadOnMiss` says so. */
  async acquire(name: string): Promise<Adapter> {
    await this.#loading.get(name)?.catch(() => {});
    return this.config.allowLazyLoadOnMiss && !this.#entries.has(name)
      ? this.preload(name)
      : this.get(name);
  }

  /** Unloads everything, whatever a single one makes of it; may be called again. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#loading.values());
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    this.#loadCounts.clear();
    await Promise.allSettled(entries.map(async ({ adapter }) => adapter.unloadModel()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  stats(): PoolStats {
    const { adapters, maxPreloadAdapters, allowLazyLoadOnMiss } = this.config;
    const details = [...this.#entries].map(([name, { adapter, loadMs }]) => [
      name,
      {
        model_size: modelSizeOf(name, this.config),
        device: adapter.device ?? this.config.device,
        load_time_ms: loadMs,
        load_count: this.#loadCounts.get(name) ?? 0,
      },
    ]);
    return {
      configured_adapters: adapters,
      max_preload_adapters: maxPreloadAdapters,
      allow_lazy_load_on_miss: allowLazyLoadOnMiss,
      loaded_adapters: [...this.#entries.keys()],
      loaded_count: this.#entries.size,
      details: Object.fromEntries(details),
    };
  }

  async #load(name: string): Promise<Adapter> {
    const adapter = this.config.createAdapter(
      adapterConfigOf(name, this.config),
      this.config.backend,
    );
    const started = performance.now();
    try {
      await adapter.loadModel();
    } catch (error) {
      throw toSessionError(error, 'E_MODEL_LOAD_FAILED', { adapter_name: name });
    }
    const loadMs = performance.now() - started;
    countLoad(name, loadMs);
    this.#loadCounts.set(name, (this.#loadCounts.get(name) ?? 0) + 1);
    this.#entries.set(name, { adapter, loadMs });
    return adapter;
  }

  #requireConfigured(name: string): void {
    if (this.config.adapters.includes(name)) return;
    throw new TSAgentKitError('E_ADAPTER_NOT_AVAILABLE', `adapter '${name}' is not configured`, {
      context: { adapter_name: name, configured_adapters: this.config.adapters },
      fixHint: `add '${name}' to the pool's adapters`,
    });
  }
}
