/** A queue with a number of places at work and a number of places to wait. */
import { TollamaError } from '@tollama/core/errors';

export interface SlotLimits {
  /** At work at the same time. */
  readonly parallel: number;
  /** Waiting; one more is refused. */
  readonly queue: number;
}

interface Waiting {
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

  /** Runs the work when a place is free, in order of arrival. Throws BUSY when the queue is full. */
  async run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      return await work();
    } finally {
      this.#working--;
      this.#next();
    }
  }

  #enter(signal: AbortSignal | undefined): Promise<void> {
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
    const [first] = this.#waiting;
    if (!first || this.#working >= this.#limits.parallel) return;
    this.#waiting.delete(first);
    this.#working++;
    first.start();
  }
}
