/** How well the upstream has served lately: normal, degraded or baseline-only, with hysteresis. */
import { EventWindow } from './event-window.ts';

export type DegradationState = 'normal' | 'degraded' | 'baseline-only';

export interface DegradationSettings {
  readonly windowMs: number;
  readonly minRequests: number;
  /** Failure rates at which a state is entered (at or above) and left (at or below). */
  readonly degradedEnter: number;
  readonly baselineOnlyEnter: number;
  readonly degradedExit: number;
  readonly baselineOnlyExit: number;
  /** While baseline-only, each n-th request is tried all the same. */
  readonly probeEvery: number;
}

export class Degradation {
  readonly #settings: () => DegradationSettings;
  readonly #window = new EventWindow();
  #state: DegradationState = 'normal';
  #asked = 0;

  constructor(settings: () => DegradationSettings) {
    this.#settings = settings;
  }

  get state(): DegradationState {
    return this.#state;
  }

  /** Whether this request is kept from the upstream; counts it. */
  shouldSkip(): boolean {
    if (this.#state !== 'baseline-only') return false;
    this.#asked++;
    return this.#asked % Math.max(1, this.#settings().probeEvery) !== 0;
  }

  /** Tells the outcome of a call, after the breaker was told. */
  record(isSuccess: boolean, nowMs: number, isBreakerOpen: boolean): void {
    const { windowMs, minRequests } = this.#settings();
    this.#window.record(isSuccess, nowMs, windowMs);
    if (this.#window.total < minRequests) return;
    this.#state = this.#next(this.#window.failureRate, isBreakerOpen);
  }

  #next(rate: number, isBreakerOpen: boolean): DegradationState {
    const settings = this.#settings();
    switch (this.#state) {
      case 'normal':
        if (rate >= settings.baselineOnlyEnter) return 'baseline-only';
        return rate >= settings.degradedEnter ? 'degraded' : 'normal';
      case 'degraded':
        if (rate >= settings.baselineOnlyEnter) return 'baseline-only';
        return rate <= settings.degradedExit ? 'normal' : 'degraded';
      case 'baseline-only':
        return rate <= settings.baselineOnlyExit && !isBreakerOpen ? 'degraded' : 'baseline-only';
    }
  }
}
