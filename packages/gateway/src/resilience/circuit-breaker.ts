/**
 * The circuit breaker of the upstream: closed -> open -> half-open -> closed.
 *
 * Half-open admits a budget of probes. What is in flight counts: while a probe is out, further requests are
 * refused without a new cooldown, so that probes can close the breaker under any load. Only a spent budget
 * without the successes that are needed opens it again. An outcome counts for the state in which its call
 * was admitted: a straggler from before does not close or open a half-open breaker.
 */
import { EventWindow } from './event-window.ts';

export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerSettings {
  readonly windowMs: number;
  readonly minRequests: number;
  /** Share of failures in the window that opens, with at least minRequests events. */
  readonly failureRateToOpen: number;
  /** Number of failures in the window, since it last closed, that opens; no such rule when absent. */
  readonly failuresToOpen: number | undefined;
  readonly cooldownMs: number;
  /** A cooldown is longer by up to this share, at random, so that instances do not return together. */
  readonly cooldownJitter: number;
  readonly halfOpenProbes: number;
  readonly halfOpenSuccesses: number;
}

/** A call that was let through; exactly one of the three is told. */
export interface Permit {
  succeed(nowMs: number): void;
  fail(nowMs: number): void;
  /** The call did not take place. */
  release(): void;
}

interface HalfOpen {
  admitted: number;
  inFlight: number;
  successes: number;
}

export class CircuitBreaker {
  readonly #settings: () => BreakerSettings;
  readonly #random: () => number;
  readonly #window = new EventWindow();
  #state: BreakerState = 'closed';
  #openUntilMs = 0;
  #probes: HalfOpen = { admitted: 0, inFlight: 0, successes: 0 };
  #failuresSinceClosed = new EventWindow();

  constructor(settings: () => BreakerSettings, random: () => number = Math.random) {
    this.#settings = settings;
    this.#random = random;
  }

  get state(): BreakerState {
    return this.#state;
  }

  /** Whether a call is refused now. A budget that was spent in vain opens the breaker again. */
  refuses(nowMs: number): boolean {
    if (this.#state === 'open') return nowMs < this.#openUntilMs;
    const { admitted, inFlight } = this.#probes;
    if (this.#state === 'closed' || admitted < this.#settings().halfOpenProbes) return false;
    if (inFlight === 0) this.#open(nowMs);
    return true;
  }

  /** A permit, or undefined when the call is refused. */
  admit(nowMs: number): Permit | undefined {
    if (this.refuses(nowMs)) return undefined;
    if (this.#state === 'closed') return this.#permit(undefined);
    if (this.#state === 'open') {
      this.#state = 'half-open';
      this.#probes = { admitted: 0, inFlight: 0, successes: 0 };
    }
    this.#probes.admitted++;
    this.#probes.inFlight++;
    return this.#permit(this.#probes);
  }

  #permit(probes: HalfOpen | undefined): Permit {
    return {
      succeed: (nowMs) => {
        this.#record(true, nowMs);
        if (probes) this.#probeSucceeded(probes, nowMs);
      },
      fail: (nowMs) => {
        this.#record(false, nowMs);
        if (probes) {
          probes.inFlight--;
          if (this.#isCurrent(probes)) this.#open(nowMs);
        } else if (this.#state === 'closed' && this.#shouldOpen()) this.#open(nowMs);
      },
      release: () => {
        if (!probes) return;
        probes.inFlight--;
        probes.admitted--;
      },
    };
  }

  #probeSucceeded(probes: HalfOpen, nowMs: number): void {
    probes.inFlight--;
    probes.successes++;
    if (!this.#isCurrent(probes)) return;
    if (probes.successes < this.#settings().halfOpenSuccesses) return;
    this.#state = 'closed';
    this.#failuresSinceClosed = new EventWindow();
    this.#window.prune(nowMs, this.#settings().windowMs);
  }

  #isCurrent(probes: HalfOpen): boolean {
    return this.#state === 'half-open' && this.#probes === probes;
  }

  #record(isSuccess: boolean, nowMs: number): void {
    const { windowMs } = this.#settings();
    this.#window.record(isSuccess, nowMs, windowMs);
    this.#failuresSinceClosed.record(isSuccess, nowMs, windowMs);
  }

  #shouldOpen(): boolean {
    const { minRequests, failureRateToOpen, failuresToOpen } = this.#settings();
    if (failuresToOpen !== undefined && this.#failuresSinceClosed.failures >= failuresToOpen) {
      return true;
    }
    return this.#window.total >= minRequests && this.#window.failureRate >= failureRateToOpen;
  }

  #open(nowMs: number): void {
    const { cooldownMs, cooldownJitter } = this.#settings();
    this.#state = 'open';
    this.#openUntilMs = nowMs + cooldownMs * (1 + this.#random() * cooldownJitter);
  }
}
