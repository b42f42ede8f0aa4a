/** Which models are loaded, until when, and what frees them. */
import type { KeepAlive } from '@tollama/core/keep-alive';

export interface LoadedModel {
  readonly name: string;
  readonly family: string;
  /** Milliseconds since the epoch; null: for ever. */
  readonly expiresAt: number | null;
  /** Weights in bytes. */
  readonly weightBytes: number;
  readonly contextLength: number | null;
}

export interface LoadedModelsOptions {
  readonly unload: (model: LoadedModel) => Promise<void>;
  readonly now?: () => number;
}

interface Entry {
  model: LoadedModel;
  timer: NodeJS.Timeout | undefined;
  /** Forecasts under way; a model in use never expires. */
  inUse: number;
}

export class LoadedModels {
  readonly #entries = new Map<string, Entry>();
  readonly #unload: LoadedModelsOptions['unload'];
  readonly #now: () => number;

  constructor({ unload, now = Date.now }: LoadedModelsOptions) {
    this.#unload = unload;
    this.#now = now;
  }

  /** Marks the start of a forecast: the model stays until it is done. */
  begin(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    clearTimeout(entry.timer);
    entry.inUse++;
  }

  /** Notes that a model answered; its time to live counts from here. */
  async done(facts: Omit<LoadedModel, 'expiresAt'>, keepAlive: KeepAlive): Promise<void> {
    const entry = this.#entries.get(facts.name) ?? {
      model: { ...facts, expiresAt: null },
      timer: undefined,
      inUse: 0,
    };
    this.#entries.set(facts.name, entry);
    entry.inUse = Math.max(0, entry.inUse - 1);
    clearTimeout(entry.timer);
    const seconds = keepAlive.kind === 'seconds' ? keepAlive.seconds : undefined;
    entry.model = {
      ...facts,
      expiresAt: seconds === undefined ? null : this.#now() + seconds * 1000,
    };
    if (entry.inUse > 0) return;
    if (seconds === 0) await this.remove(facts.name);
    else if (seconds !== undefined) this.#expireIn(entry, seconds * 1000);
  }

  /** A forecast that failed: the model is as it was. */
  failed(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    entry.inUse = Math.max(0, entry.inUse - 1);
    const { expiresAt } = entry.model;
    if (entry.inUse === 0 && expiresAt !== null) this.#expireIn(entry, expiresAt - this.#now());
  }

  #expireIn(entry: Entry, delayMs: number): void {
    // setTimeout's own limit is 24.8 days; a longer wait is as good as for ever here, until it is set again.
    const delay = Math.min(Math.max(delayMs, 0), 2 ** 31 - 1);
    entry.timer = setTimeout(() => {
      if (entry.inUse === 0) void this.remove(entry.model.name);
    }, delay);
    entry.timer.unref();
  }

  /** Frees one model, its neighbours in the same runner stay. */
  async remove(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    if (!entry) return;
    clearTimeout(entry.timer);
    this.#entries.delete(name);
    await this.#unload(entry.model);
  }

  /** Forgets the models of a runner that is gone. */
  forgetFamily(family: string): void {
    for (const [name, entry] of this.#entries) {
      if (entry.model.family !== family) continue;
      clearTimeout(entry.timer);
      this.#entries.delete(name);
    }
  }

  find(name: string): LoadedModel | undefined {
    return this.#entries.get(name)?.model;
  }

  list(): readonly LoadedModel[] {
    const now = this.#now();
    return [...this.#entries.values()]
      .filter(({ model, inUse }) => inUse > 0 || model.expiresAt === null || model.expiresAt > now)
      .map(({ model }) => model)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}
