/** Bounds of calls under way, in all and for each market, with a queue that waits only so long. */

export interface BulkheadSettings {
  /** Calls at the same time. */
  readonly concurrency: number;
  /** Calls at the same time for one market; 0: no such bound. */
  readonly perMarket: number;
  /** Requests that may wait. */
  readonly maxQueue: number;
}

export type Release = () => void;

interface Waiter {
  readonly market: string;
  readonly admit: (release: Release) => void;
}

export class Bulkhead {
  readonly #settings: () => BulkheadSettings;
  readonly #queue = new Set<Waiter>();
  readonly #byMarket = new Map<string, number>();
  #inFlight = 0;

  constructor(settings: () => BulkheadSettings) {
    this.#settings = settings;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** A slot; undefined when the queue is full or none came free in time. */
  acquire(market: string, timeoutMs: number): Promise<Release | undefined> | Release | undefined {
    if (this.#queue.size === 0 && this.#isFree(market)) return this.#take(market);
    if (this.#queue.size >= this.#settings().maxQueue || timeoutMs <= 0) return undefined;
    if (this.#isFree(market)) return this.#take(market);
    return new Promise((resolve) => {
      const waiter: Waiter = {
        market,
        admit: (release) => {
          clearTimeout(timer);
          resolve(release);
        },
      };
      const timer = setTimeout(() => {
        this.#queue.delete(waiter);
        resolve(undefined);
      }, timeoutMs);
      this.#queue.add(waiter);
    });
  }

  #isFree(market: string): boolean {
    const { concurrency, perMarket } = this.#settings();
    if (this.#inFlight >= concurrency) return false;
    return perMarket <= 0 || (this.#byMarket.get(market) ?? 0) < perMarket;
  }

  #take(market: string): Release {
    this.#inFlight++;
    this.#byMarket.set(market, (this.#byMarket.get(market) ?? 0) + 1);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.#inFlight--;
      const left = this.#byMarket.get(market)! - 1;
      if (left > 0) this.#byMarket.set(market, left);
      else this.#byMarket.delete(market);
      this.#admitWaiting();
    };
  }

  /** First come, first served, past those whose market is full. */
  #admitWaiting(): void {
    for (const waiter of this.#queue) {
      if (this.#inFlight >= this.#settings().concurrency) return;
      if (!this.#isFree(waiter.market)) continue;
      this.#queue.delete(waiter);
      waiter.admit(this.#take(waiter.market));
    }
  }
}
