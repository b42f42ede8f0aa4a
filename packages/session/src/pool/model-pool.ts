/** Models that are loaded once, on purpose, and kept until the pool closes. */
import type { ModelBackend } from '../backend/backend.ts';
import { inProcessBackend } from '../backend/in-process.ts';
import { TSAgentKitError, toSessionError } from '../errors/session-error.ts';
import { type Adapter, type AdapterFactory, createAdapter } from './adapter.ts';
import { adapterConfigOf, modelSizeOf } from './adapter-config.ts';
import { countLoad, countOutOfMemory } from './load-metrics.ts';

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
  /**
   * Bytes that loaded models may take together; null: any. Past it the models that were used longest ago are unloaded,
   * never one that is forecasting; the next use of such a model is a miss.
   */
  readonly memoryLimitBytes: number | null;
  readonly backend: ModelBackend;
  readonly createAdapter: AdapterFactory;
}

export interface PoolStats {
  readonly configured_adapters: readonly string[];
  readonly max_preload_adapters: number;
  readonly allow_lazy_load_on_miss: boolean;
  readonly loaded_adapters: readonly string[];
  readonly loaded_count: number;
  readonly memory_limit_bytes: number | null;
  /** Of the loaded models whose size is known. */
  readonly memory_bytes: number;
  /** Models that were unloaded to make room, in their order. */
  readonly evicted_adapters: readonly string[];
  readonly details: Readonly<
    Record<
      string,
      {
        readonly model_size: string;
        readonly device: string | null;
        readonly load_time_ms: number;
        readonly load_count: number;
        readonly memory_bytes: number | null;
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
    memoryLimitBytes: null,
    backend: config.backend ?? inProcessBackend(),
    createAdapter,
    ...config,
  };
  if (whole.adapters.length === 0) throw new RangeError('adapters is empty; name at least one');
  const most = whole.maxPreloadAdapters;
  if (!Number.isInteger(most) || most < 1 || most > MOST_PRELOADED) {
    throw new RangeError(`maxPreloadAdapters = ${most}; use 1 to ${MOST_PRELOADED}`);
  }
  const limit = whole.memoryLimitBytes;
  if (limit !== null && !(limit > 0)) {
    throw new RangeError(`memoryLimitBytes = ${limit}; use a number above 0, or null`);
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
  /** The most recently used last. */
  readonly #entries = new Map<string, Entry>();
  readonly #evicted: string[] = [];
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
    const entry = this.#use(name);
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
    const entry = this.#use(name);
    if (entry) return entry.adapter;
    const { adapters, maxPreloadAdapters, allowLazyLoadOnMiss } = this.config;
    throw new TSAgentKitError('E_MODEL_NOT_LOADED', `adapter '${name}' is not loaded`, {
      context: {
        adapter_name: name,
        configured_adapters: adapters,
        loaded_adapters: [...this.#entries.keys()],
        max_preload_adapters: maxPreloadAdapters,
        ...(this.#evicted.includes(name) && { unloaded_for_memory: true }),
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
    this.#evicted.length = 0;
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
        memory_bytes: adapter.memoryBytes ?? null,
      },
    ]);
    return {
      configured_adapters: adapters,
      max_preload_adapters: maxPreloadAdapters,
      allow_lazy_load_on_miss: allowLazyLoadOnMiss,
      loaded_adapters: [...this.#entries.keys()],
      loaded_count: this.#entries.size,
      memory_limit_bytes: this.config.memoryLimitBytes,
      memory_bytes: this.#memoryBytes(),
      evicted_adapters: [...this.#evicted],
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
      const failed = toSessionError(error, 'E_MODEL_LOAD_FAILED', { adapter_name: name });
      if (failed.code === 'E_OOM') countOutOfMemory();
      throw failed;
    }
    const loadMs = performance.now() - started;
    countLoad(name, loadMs);
    this.#loadCounts.set(name, (this.#loadCounts.get(name) ?? 0) + 1);
    this.#entries.set(name, { adapter, loadMs });
    await this.#makeRoom(name);
    return adapter;
  }

  /** The entry, from now on the most recently used one. */
  #use(name: string): Entry | undefined {
    const entry = this.#entries.get(name);
    if (!entry) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    return entry;
  }

  #memoryBytes(): number {
    return [...this.#entries.values()].reduce(
      (sum, { adapter }) => sum + (adapter.memoryBytes ?? 0),
      0,
    );
  }

  /** Unloads what was used longest ago until the rest fits. Throws E_OOM for a model that does not fit alone. */
  async #makeRoom(newest: string): Promise<void> {
    const { memoryLimitBytes: limit } = this.config;
    if (limit === null) return;
    const own = this.#entries.get(newest)?.adapter.memoryBytes ?? 0;
    if (own > limit) {
      await this.#unload(newest);
      countOutOfMemory();
      throw new TSAgentKitError(
        'E_OOM',
        `adapter '${newest}' takes more memory than the pool may`,
        {
          context: { adapter_name: newest, memory_bytes: own, memory_limit_bytes: limit },
          fixHint: 'raise memoryLimitBytes, or choose a smaller model_size',
        },
      );
    }
    for (const [name, { adapter }] of [...this.#entries]) {
      if (this.#memoryBytes() <= limit) return;
      const isFree = name !== newest && (adapter.inFlight ?? 0) === 0;
      const hasSize = (adapter.memoryBytes ?? 0) > 0;
      if (!isFree || !hasSize) continue;
      await this.#unload(name);
      this.#evicted.push(name);
    }
  }

  async #unload(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    await Promise.resolve(entry?.adapter.unloadModel()).catch(() => {});
  }

  #requireConfigured(name: string): void {
    if (this.config.adapters.includes(name)) return;
    throw new TSAgentKitError('E_ADAPTER_NOT_AVAILABLE', `adapter '${name}' is not configured`, {
      context: { adapter_name: name, configured_adapters: this.config.adapters },
      fixHint: `add '${name}' to the pool's adapters`,
    });
  }
}
