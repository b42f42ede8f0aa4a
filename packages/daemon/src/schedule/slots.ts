/** A queue with a number of places at work and a number of places to wait. */
import { TollamaError } from '@tollama/core/errors';
import { priorityLevel } from '@tollama/core/priority';

export interface SlotLimits {
  /** At work at the same time. */
  readonly parallel: number;
  /** Waiting; one more is refused. */
  readonly queue: number;
}

export interface SlotOptions {
  readonly signal?: AbortSignal | undefined;
  /** Waits before those of a larger number; see `priorityLevel`. */
  readonly priority?: number | undefined;
}

interface Waiting {
  readonly level: number;
  readonly start: () => void;
  readonly refuse: (error: TollamaError) => void;
}

export class Slots {
  readonly #limits: SlotLimits;
  readonly #waiting = new Set<Waiting>();
  #working = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  get working(): number {
    return this.#working;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Runs the work when a place is free, by priority, then in order of arrival. Throws BUSY when the queue is full. */
  async run<T>(work: () => Promise<T>, options: SlotOptions = {}): Promise<T> {
    await this.#enter(options);
    try {
      return await work();
    } finally {
      this.#working--;
      this.#next();
    }
  }

  #enter({ signal, priority }: SlotOptions): Promise<void> {
    if (this.#working < this.#limits.parallel) {
      this.#working++;
      return Promise.resolve();
    }
    if (this.#waiting.size >= this.#limits.queue) {
      const message = `server busy: ${this.#working} requests at work and ${this.#waiting.size} waiting for this model`;
      return Promise.reject(new TollamaError('BUSY', message));
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.delete(entry);
        reject(new TollamaError('INTERRUPTED', 'the client went away'));
      };
      const entry: Waiting = {
        level: priorityLevel(priority),
        start: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
        refuse: reject,
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiting.add(entry);
    });
  }

  #next(): void {
    if (this.#working >= this.#limits.parallel) return;
    let first: Waiting | undefined;
    for (const entry of this.#waiting) {
      if (!first || entry.level < first.level) first = entry;
    }
    if (!first) return;
    this.#waiting.delete(first);
    this.#working++;
    first.start();
  }
}
