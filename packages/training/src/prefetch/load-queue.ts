/** Loads in order: urgent ones first, then first in first out, at most so many at a time, one for each key. */
import { TollamaError } from '@tollama/core/errors';

export interface Load {
  readonly key: string;
  readonly run: (signal: AbortSignal) => Promise<void>;
}

interface Queued {
  readonly load: Load;
  isUrgent: boolean;
}

export class LoadQueue {
  readonly #concurrency: number;
  readonly #queue: Queued[] = [];
  readonly #running = new Map<string, AbortController>();
  /** Canceled loads run on until they notice; they still hold a place. */
  #occupied = 0;
  #started = 0;
  #peak = 0;
  #whenIdle: (() => void)[] = [];

  constructor(concurrency: number) {
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      const message = `concurrency = ${concurrency} is not a whole number above 0`;
      throw new TollamaError('INVALID_REQUEST', message, { hint: 'use 1 or more' });
    }
    this.#concurrency = concurrency;
  }

  get started(): number {
    return this.#started;
  }

  get running(): number {
    return this.#occupied;
  }

  get queued(): number {
    return this.#queue.length;
  }

  get peakRunning(): number {
    return this.#peak;
  }

  has(key: string): boolean {
    return this.#running.has(key) || this.#queue.some(({ load }) => load.key === key);
  }

  queuedKeys(): readonly string[] {
    return this.#queue.map(({ load }) => load.key);
  }

  add(load: Load, isUrgent: boolean): void {
    this.#insert({ load, isUrgent });
    this.#startNext();
  }

  /** Moves a queued key before all that are not urgent. */
  promote(key: string): void {
    const at = this.#queue.findIndex(({ load, isUrgent }) => load.key === key && !isUrgent);
    if (at < 0) return;
    const [queued] = this.#queue.splice(at, 1);
    this.#insert({ load: queued!.load, isUrgent: true });
  }

  cancel(key: string): void {
    const at = this.#queue.findIndex(({ load }) => load.key === key);
    if (at >= 0) this.#queue.splice(at, 1);
    this.#running.get(key)?.abort();
    this.#running.delete(key);
  }

  abortAll(): void {
    for (const key of [...this.#running.keys()]) this.cancel(key);
  }

  /** When nothing runs and nothing waits. */
  idle(): Promise<void> {
    if (this.#occupied === 0 && this.#queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  #insert(queued: Queued): void {
    const firstIdle = this.#queue.findIndex(({ isUrgent }) => !isUrgent);
    if (queued.isUrgent && firstIdle >= 0) this.#queue.splice(firstIdle, 0, queued);
    else this.#queue.push(queued);
  }

  #startNext(): void {
    while (this.#occupied < this.#concurrency && this.#queue.length > 0) {
      void this.#start(this.#queue.shift()!.load);
    }
    if (this.#occupied > 0) return;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  async #start(load: Load): Promise<void> {
    const controller = new AbortController();
    this.#running.set(load.key, controller);
    this.#started++;
    this.#occupied++;
    this.#peak = Math.max(this.#peak, this.#occupied);
    try {
      await load.run(controller.signal);
    } finally {
      if (this.#running.get(load.key) === controller) this.#running.delete(load.key);
      this.#occupied--;
      this.#startNext();
    }
  }
}
