/** Watches the loss of every step: a non-finite one rolls back at once, a divergence after some patience. */
import { TollamaError } from '@tollama/core/errors';

export interface GovernorOptions {
  /** Good losses that are remembered. */
  readonly window: number;
  /** Good losses that are needed before anything is called a divergence. */
  readonly minHistory: number;
  /** Standard deviations above the mean. */
  readonly sigma: number;
  /** Multiple of the mean. */
  readonly multiplier: number;
  /** Loss in the loss's own scale below which nothing is a divergence. */
  readonly absolute: number;
  /** Divergent steps in a row that roll back. */
  readonly patience: number;
}

export const GOVERNOR_DEFAULTS: Omit<GovernorOptions, 'absolute'> = {
  window: 20,
  minHistory: 10,
  sigma: 6,
  multiplier: 3,
  patience: 3,
};

export interface Judgement {
  readonly verdict: 'ok' | 'panic' | 'rollback';
  readonly reason: 'warming' | 'healthy' | 'divergence' | 'nonfinite';
  /** Divergent steps in a row. */
  readonly streak: number;
  /** Good losses remembered. */
  readonly history: number;
}

export interface GovernorState {
  readonly history: readonly number[];
  readonly streak: number;
}

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Of the population. */
const deviationOf = (values: readonly number[], mean: number): number =>
  Math.sqrt(meanOf(values.map((value) => (value - mean) ** 2)));

const requirePositive = (options: GovernorOptions): void => {
  for (const field of ['window', 'minHistory', 'patience'] as const) {
    if (Number.isInteger(options[field]) && options[field] > 0) continue;
    const message = `governor.${field} = ${options[field]} is not a whole number above 0`;
    throw new TollamaError('INVALID_REQUEST', message, { hint: 'use 1 or more' });
  }
};

/**
 * A step diverges when its loss lies above the absolute limit, and above mean + sigma deviations, and above the
 * multiple of the mean of the good losses. Divergent and non-finite losses never enter the history.
 */
export class Governor {
  readonly #options: GovernorOptions;
  #history: number[] = [];
  #streak = 0;

  constructor(options: GovernorOptions) {
    requirePositive(options);
    this.#options = options;
  }

  judge(loss: number): Judgement {
    if (!Number.isFinite(loss)) {
      this.#streak = 0;
      return this.#judgement('rollback', 'nonfinite');
    }
    const isWarm = this.#history.length >= this.#options.minHistory;
    if (isWarm && this.#isDivergent(loss)) return this.#panic();
    this.#streak = 0;
    this.#history.push(loss);
    if (this.#history.length > this.#options.window) this.#history.shift();
    return this.#judgement('ok', isWarm ? 'healthy' : 'warming');
  }

  state(): GovernorState {
    return { history: [...this.#history], streak: this.#streak };
  }

  load({ history, streak }: GovernorState): void {
    this.#history = [...history];
    this.#streak = streak;
  }

  #isDivergent(loss: number): boolean {
    const { absolute, sigma, multiplier } = this.#options;
    const mean = meanOf(this.#history);
    return (
      loss > absolute &&
      loss > mean + sigma * deviationOf(this.#history, mean) &&
      loss > multiplier * mean
    );
  }

  #panic(): Judgement {
    this.#streak++;
    if (this.#streak < this.#options.patience) return this.#judgement('panic', 'divergence');
    const judgement = this.#judgement('rollback', 'divergence');
    this.#streak = 0;
    return judgement;
  }

  #judgement(verdict: Judgement['verdict'], reason: Judgement['reason']): Judgement {
    return { verdict, reason, streak: this.#streak, history: this.#history.length };
  }
}
