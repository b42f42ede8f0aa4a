/** Which models are loaded, until when, and who makes room for whom. */
import { TollamaError } from '@tollama/core/errors';
import type { KeepAlive } from '@tollama/core/keep-alive';
import { timerMs } from '@tollama/core/timer';
import { decide, type Limits } from '../schedule/decide.ts';

export interface ModelFacts {
  readonly name: string;
  readonly family: string;
  /** Weights in bytes. */
  readonly weightBytes: number;
  /** Memory that it takes when it is loaded, as estimated. */
  readonly estimatedBytes: number;
  readonly contextLength: number | null;
}

export interface LoadedModel extends ModelFacts {
  /** Milliseconds since the epoch; null: for ever. */
  readonly expiresAt: number | null;
}

export interface LoadedModelsOptions {
  readonly unload: (model: LoadedModel) => Promise<void>;
  readonly limits: Limits;
  readonly now?: () => number;
}

interface Entry {
  model: LoadedModel;
  timer: NodeJS.Timeout | undefined;
  /** Forecasts under way; a model in use neither expires nor is evicted. */
  inUse: number;
  lastUsedMs: number;
  /** Whether it has answered; before that it is only on its way. */
  isLoaded: boolean;
}

export class LoadedModels {
  readonly #entries = new Map<string, Entry>();
  readonly #options: LoadedModelsOptions;
  readonly #now: () => number;
  readonly #waiting = new Set<() => void>();

  constructor(options: LoadedModelsOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /**
   * Marks the start of a forecast. Makes room first: evicts idle models, least recently used first, or
   * waits until some are idle. Throws BUSY for a model that does not fit even alone.
   */
  async begin(facts: ModelFacts, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const entry = this.#entries.get(facts.name);
      if (entry) return this.#use(entry);
      const residents = [...this.#entries.values()].map(({ model, inUse, lastUsedMs }) => ({
        name: model.name,
        bytes: model.estimatedBytes,
        lastUsedMs,
        inUse,
      }));
      const wanted = { name: facts.name, bytes: facts.estimatedBytes };
      const decision = decide(wanted, residents, this.#options.limits);
      if (decision.kind === 'refuse') throw this.#tooLarge(facts);
      if (decision.kind === 'wait') await this.#someIdle(signal);
      else {
        const model = { ...facts, expiresAt: null };
        const added: Entry = { model, timer: undefined, inUse: 0, lastUsedMs: 0, isLoaded: false };
        // It takes its place before the others have left, so that nobody else takes it meanwhile.
        this.#entries.set(facts.name, added);
        this.#use(added);
        if (decision.kind === 'evict')
          await Promise.all(decision.names.map((name) => this.remove(name)));
        return;
      }
    }
  }

  #use(entry: Entry): void {
    clearTimeout(entry.timer);
    entry.inUse++;
    entry.lastUsedMs = this.#now();
  }

  #tooLarge({ name, estimatedBytes }: ModelFacts): TollamaError {
    const gigabytes = (bytes: number): string => (bytes / 1e9).toFixed(1);
    const limit = gigabytes(this.#options.limits.memoryBytes);
    return new TollamaError(
      'BUSY',
      `model '${name}' needs about ${gigabytes(estimatedBytes)} GB, the limit is ${limit} GB`,
      {
        hint: 'use precision int8, a smaller model, or raise TOLLAMA_MEMORY_LIMIT_MB',
      },
    );
  }

  #someIdle(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#waiting.delete(wake);
        reject(new TollamaError('INTERRUPTED', 'the client went away'));
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  /** Notes that a model answered; its time to live counts from here. */
  async done(name: string, keepAlive: KeepAlive): Promise<void> {
    const entry = this.#entries.get(name);
    if (!entry) return;
    entry.isLoaded = true;
    const seconds = keepAlive.kind === 'seconds' ? keepAlive.seconds : undefined;
    const expiresAt = seconds === undefined ? null : this.#now() + seconds * 1000;
    entry.model = { ...entry.model, expiresAt };
    this.#release(entry);
    if (entry.inUse > 0) return;
    if (seconds === 0) await this.remove(name);
    else if (expiresAt !== null) this.#expireAt(entry, expiresAt);
  }

  /** A forecast that failed: the model is as it was before. */
  failed(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    this.#release(entry);
    if (entry.inUse > 0) return;
    if (!entry.isLoaded) this.#entries.delete(name);
    else if (entry.model.expiresAt !== null) this.#expireAt(entry, entry.model.expiresAt);
  }

  #release(entry: Entry): void {
    entry.inUse = Math.max(0, entry.inUse - 1);
    entry.lastUsedMs = this.#now();
    clearTimeout(entry.timer);
    this.#wake();
  }

  #expireAt(entry: Entry, at: number): void {
    // setTimeout's own limit is 24.8 days; a longer wait is set again by the next use.
    const delay = timerMs(at - this.#now());
    entry.timer = setTimeout(() => {
      if (entry.inUse === 0) void this.remove(entry.model.name);
    }, delay);
    entry.timer.unref();
  }

  /** Frees one model; its neighbours in the same runner stay. */
  async remove(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#entries.delete(name);
    await this.#options.unload(entry.model);
    this.#wake();
  }

  /** Forgets the models of a runner that is gone; forecasts under way load them again. */
  forgetFamily(family: string): void {
    for (const [name, entry] of this.#entries) {
      if (entry.model.family !== family) continue;
      clearTimeout(entry.timer);
      entry.isLoaded = false;
      if (entry.inUse === 0) this.#entries.delete(name);
    }
    this.#wake();
  }

  /** Models of a family that are loaded or on their way. */
  countOf(family: string): number {
    return [...this.#entries.values()].filter(({ model }) => model.family === family).length;
  }

  list(): readonly LoadedModel[] {
    const now = this.#now();
    return [...this.#entries.values()]
      .filter(({ isLoaded }) => isLoaded)
      .filter(
        ({ model: { expiresAt }, inUse }) => inUse > 0 || expiresAt === null || expiresAt > now,
      )
      .map(({ model }) => model)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}
