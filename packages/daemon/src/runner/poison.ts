/** Requests that ended their runner twice: refused for a while, so that the others go on. */
import { createHash } from 'node:crypto';
import { TollamaError } from '@tollama/core/errors';

const REMEMBER_MS = 600_000;
const MAX_REMEMBERED = 1000;

export class PoisonList {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  #keyOf(params: unknown): string {
    return createHash('sha256').update(JSON.stringify(params)).digest('hex');
  }

  add(params: unknown): void {
    if (this.#until.size >= MAX_REMEMBERED) this.#until.delete(this.#until.keys().next().value!);
    this.#until.set(this.#keyOf(params), this.#now() + REMEMBER_MS);
  }

  /** Throws RUNNER_UNAVAILABLE for a request that is on the list. Free while the list is empty. */
  check(params: unknown): void {
    if (this.#until.size === 0) return;
    const key = this.#keyOf(params);
    const until = this.#until.get(key);
    if (until === undefined) return;
    if (until > this.#now()) throw poisonError();
    this.#until.delete(key);
  }
}

/** @param why what ended the runner the second time */
export const poisonError = (why?: string): TollamaError =>
  new TollamaError(
    'RUNNER_UNAVAILABLE',
    `this request ended its runner twice and is refused for ten minutes${why ? `; ${why}` : ''}`,
    {
      hint: 'change the request (fewer series, a shorter horizon, other options); other requests are not affected',
    },
  );
