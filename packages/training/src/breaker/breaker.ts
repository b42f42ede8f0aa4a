/** Keeps a part that fails from being asked: closed, open for a while, half-open for a trial. */
import { TollamaError } from '@tollama/core/errors';

export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failureThreshold: number;
  /** Successes in half-open that close it. */
  readonly successThreshold: number;
  readonly cooldownMs: number;
  /** Each re-opening from half-open doubles the cooldown, up to this multiple; 1 keeps it. */
  readonly maxBackoff?: number;
  /** Share of the cooldown that is drawn at random around it: 0.1 is +-10 %. */
  readonly jitter?: number;
  /** Uniform in [0, 1); needed for jitter. */
  readonly random?: () => number;
}

export const TOLARIA_BREAKER = {
  failureThreshold: 3,
  successThreshold: 1,
  cooldownMs: 30_000,
  maxBackoff: 8,
  jitter: 0.1,
} as const;

export const KASMINA_BREAKER = { ...TOLARIA_BREAKER, successThreshold: 2 } as const;

/** What `tolaria.breaker.state` exports; 0 is unknown. */
export const BREAKER_GAUGE: Readonly<Record<BreakerState, number>> = {
  closed: 1,
  open: 2,
  half_open: 3,
};

export interface BreakerSnapshot {
  readonly state: BreakerState;
  /** In a row, since it last closed; while open they extend the window. */
  readonly failures: number;
  /** In half-open. */
  readonly successes: number;
  readonly openUntilMs: number | undefined;
}

/**
 * Times are milliseconds of the caller's monotonic clock. The caller asks `allow` before each call and reports
 * `succeed` or `fail` after it; one failure in half-open opens it again.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #state: BreakerState = 'closed';
  #failures = 0;
  #successes = 0;
  #openUntilMs: number | undefined;
  #backoff = 1;
  #opens = 0;

  constructor(options: BreakerOptions) {
    if (options.jitter && !options.random) {
      throw new TollamaError('INVALID_REQUEST', 'breaker.jitter needs a source of random numbers', {
        hint: 'give `random`, seeded so that runs repeat',
      });
    }
    this.#options = options;
  }

  get opens(): number {
    return this.#opens;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether a call may be made now. The first call after the cooldown makes it half-open. */
  allow(nowMs: number): boolean {
    if (this.#state !== 'open') return true;
    if (nowMs < this.#openUntilMs!) return false;
    this.#state = 'half_open';
    this.#failures = 0;
    this.#successes = 0;
    this.#openUntilMs = undefined;
    return true;
  }

  succeed(): void {
    if (this.#state === 'open') return;
    this.#failures = 0;
    if (this.#state === 'closed') return;
    this.#successes++;
    if (this.#successes < this.#options.successThreshold) return;
    this.#state = 'closed';
    this.#successes = 0;
    this.#backoff = 1;
  }

  fail(nowMs: number): void {
    this.#failures++;
    if (this.#state === 'open') this.#openUntilMs = nowMs + this.#cooldown();
    else if (this.#state === 'half_open') this.#reopen(nowMs);
    else if (this.#failures >= this.#options.failureThreshold) this.#open(nowMs);
  }

  snapshot(): BreakerSnapshot {
    return {
      state: this.#state,
      failures: this.#failures,
      successes: this.#successes,
      openUntilMs: this.#openUntilMs,
    };
  }

  #reopen(nowMs: number): void {
    this.#backoff = Math.min(this.#backoff * 2, this.#options.maxBackoff ?? 1);
    this.#open(nowMs);
  }

  #open(nowMs: number): void {
    this.#state = 'open';
    this.#successes = 0;
    this.#openUntilMs = nowMs + this.#cooldown();
    this.#opens++;
  }

  #cooldown(): number {
    const { cooldownMs, jitter = 0, random } = this.#options;
    const draw = jitter > 0 ? 1 + jitter * (2 * random!() - 1) : 1;
    return cooldownMs * this.#backoff * draw;
  }
}
