/**
 * A client that waited a minute in vain asks the same again: it then joins the work under way, or finds the
 * answer that came too late. Only answers that took long are kept; all others are worked out anew.
 */
import { createHash } from 'node:crypto';

export interface RepeatedAnswersOptions {
  /** Answers that took at least this long are kept. */
  readonly slowMs?: number;
  readonly keepMs?: number;
  readonly now?: () => number;
}

export class RepeatedAnswers {
  readonly #underWay = new Map<string, Promise<unknown>>();
  readonly #kept = new Map<string, unknown>();
  readonly #slowMs: number;
  readonly #keepMs: number;
  readonly #now: () => number;

  constructor({ slowMs = 30_000, keepMs = 300_000, now = Date.now }: RepeatedAnswersOptions = {}) {
    this.#slowMs = slowMs;
    this.#keepMs = keepMs;
    this.#now = now;
  }

  /** @param parts what makes two requests the same: caller, path, body */
  async answer(
    parts: readonly (string | Uint8Array)[],
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const hash = createHash('sha256');
    for (const part of parts) hash.update(part).update('\0');
    const key = hash.digest('hex');
    if (this.#kept.has(key)) return this.#kept.get(key);
    const running = this.#underWay.get(key);
    if (running) return running;
    const started = this.#now();
    const promise = work();
    this.#underWay.set(key, promise);
    try {
      const answer = await promise;
      if (this.#now() - started >= this.#slowMs) this.#keep(key, answer);
      return answer;
    } finally {
      this.#underWay.delete(key);
    }
  }

  #keep(key: string, answer: unknown): void {
    this.#kept.set(key, answer);
    setTimeout(() => this.#kept.delete(key), this.#keepMs).unref();
  }
}
