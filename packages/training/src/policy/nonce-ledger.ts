/** Commands are carried out once: a repeat of an id is answered with the first result, until it expires. */
import type { CommandOutcome } from '../contracts/outcomes.ts';

interface Entry {
  readonly outcome: Promise<CommandOutcome>;
  readonly expiresAtMs: number;
}

export class NonceLedger {
  readonly #ttlMs: number;
  readonly #now: () => number;
  /** Insertion order is order of expiry. */
  readonly #entries = new Map<string, Entry>();

  constructor(ttlMs: number, now: () => number) {
    this.#ttlMs = ttlMs;
    this.#now = now;
  }

  get size(): number {
    this.#expire();
    return this.#entries.size;
  }

  /** Runs `act` unless the id is known; a repeat while the first is under way waits for it. */
  once(commandId: string, act: () => Promise<CommandOutcome>): Promise<CommandOutcome> {
    this.#expire();
    const known = this.#entries.get(commandId);
    if (known) return known.outcome;
    const outcome = act();
    this.#entries.set(commandId, { outcome, expiresAtMs: this.#now() + this.#ttlMs });
    return outcome;
  }

  #expire(): void {
    const now = this.#now();
    for (const [id, { expiresAtMs }] of this.#entries) {
      if (expiresAtMs > now) return;
      this.#entries.delete(id);
    }
  }
}
