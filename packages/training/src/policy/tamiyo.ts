/** Asks a policy under a deadline and behind a breaker; whatever a policy does, the run goes on. */
import { errorMessage } from '@tollama/core/errors';
import { BREAKER_GAUGE, Breaker, type BreakerOptions } from '../breaker/breaker.ts';
import type { Clock } from '../clock/clock.ts';
import { type Report, silent } from '../contracts/metrics.ts';
import type { RunState } from '../contracts/run-state.ts';
import type { Policy } from './policy.ts';

export const DEFAULT_POLICY_DEADLINE_MS = 2000;

export interface TamiyoOptions {
  readonly policy: Policy;
  readonly deadlineMs?: number;
  readonly breaker: BreakerOptions;
  readonly clock: Clock;
  readonly report?: Report;
}

export type Answer =
  /** Not vetted yet; nothing is known about its form. */
  | { readonly kind: 'command'; readonly command: unknown; readonly latencyMs: number }
  | { readonly kind: 'timeout'; readonly latencyMs: number }
  | { readonly kind: 'error'; readonly message: string; readonly latencyMs: number }
  /** Not asked: conservative mode, or an open breaker. Means WAIT. */
  | { readonly kind: 'not_asked'; readonly why: 'conservative' | 'breaker_open' };

export interface TamiyoCounters {
  readonly asked: number;
  readonly answered: number;
  readonly timeouts: number;
  readonly errors: number;
  /** Answers that came after their deadline; they are never applied. */
  readonly late: number;
  readonly notAsked: number;
  readonly breakerOpens: number;
}

const EXPIRED = Symbol('expired');

export class Tamiyo {
  readonly policy: Policy;
  /** Of calls that were answered in time. */
  readonly latenciesMs: number[] = [];
  readonly breaker: Breaker;
  readonly #options: TamiyoOptions;
  readonly #report: Report;
  readonly #count = {
    asked: 0,
    answered: 0,
    timeouts: 0,
    errors: 0,
    late: 0,
    notAsked: 0,
  };

  constructor(options: TamiyoOptions) {
    this.#options = options;
    this.policy = options.policy;
    this.#report = options.report ?? silent;
    this.breaker = new Breaker(options.breaker);
  }

  get breakerGauge(): number {
    return BREAKER_GAUGE[this.breaker.state];
  }

  counters(): TamiyoCounters {
    return { ...this.#count, breakerOpens: this.breaker.opens };
  }

  /**
   * Never rejects; the policy's failure is an answer.
   * @param isConservative the run lets nothing germinate or advance: the policy is asked only where an open
   *   breaker wants its trial
   */
  async ask(state: RunState, isConservative: boolean): Promise<Answer> {
    const { clock } = this.#options;
    if (isConservative && this.breaker.state === 'closed') return this.#skip('conservative');
    if (!this.breaker.allow(clock.now())) return this.#skip('breaker_open');
    this.#count.asked++;
    const startedAt = clock.now();
    const latency = (): number => clock.now() - startedAt;
    try {
      const command = await this.#withinDeadline(state);
      if (command === EXPIRED) return this.#timedOut(latency());
      // A policy that kept this thread busy answers before the timer is heard: time itself decides.
      if (latency() > this.#deadlineMs) {
        this.#cameLate(state);
        return this.#timedOut(latency());
      }
      this.#count.answered++;
      this.breaker.succeed();
      this.latenciesMs.push(latency());
      return { kind: 'command', command, latencyMs: latency() };
    } catch (error) {
      this.#count.errors++;
      const message = errorMessage(error);
      this.#report('tolaria.tamiyo_error', 'warning', { message });
      this.#failed();
      return { kind: 'error', message, latencyMs: latency() };
    }
  }

  async #withinDeadline(state: RunState): Promise<unknown> {
    const { clock, policy } = this.#options;
    const controller = new AbortController();
    let isOver = false;
    const late = (): void => {
      if (isOver) this.#cameLate(state);
    };
    let cancelTimer = (): void => {};
    const deadline = new Promise<typeof EXPIRED>((resolve) => {
      cancelTimer = clock.after(this.#deadlineMs, () => {
        isOver = true;
        controller.abort();
        resolve(EXPIRED);
      });
    });
    // An async call, so that a policy that throws at once is one that rejects.
    const answer = (async () => policy.evaluate(state, controller.signal))();
    void answer.then(late, () => {});
    try {
      return await Promise.race([answer, deadline]);
    } finally {
      cancelTimer();
    }
  }

  get #deadlineMs(): number {
    return this.#options.deadlineMs ?? DEFAULT_POLICY_DEADLINE_MS;
  }

  #cameLate({ epoch }: RunState): void {
    this.#count.late++;
    this.#report('tolaria.tamiyo_late', 'warning', { epoch });
  }

  #timedOut(latencyMs: number): Answer {
    this.#count.timeouts++;
    this.#report('tolaria.tamiyo_timeout', 'warning', { latency_ms: latencyMs });
    this.#failed();
    return { kind: 'timeout', latencyMs };
  }

  #failed(): void {
    const { opens } = this.breaker;
    this.breaker.fail(this.#options.clock.now());
    if (this.breaker.opens > opens) {
      const openUntil = this.breaker.snapshot().openUntilMs ?? null;
      this.#report('tolaria.breaker_opened', 'warning', { open_until_ms: openUntil });
    }
  }

  #skip(why: 'conservative' | 'breaker_open'): Answer {
    this.#count.notAsked++;
    return { kind: 'not_asked', why };
  }
}
