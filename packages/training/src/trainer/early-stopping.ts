/** Ends a training that no longer gets better, and remembers where it was best. */
import { z } from 'zod';

export const EarlyStoppingState = z.strictObject({
  best: z.strictObject({ step: z.int().min(0), value: z.number() }).nullable(),
  /** Validations since the best one. */
  stale: z.int().min(0),
});
export type EarlyStoppingState = z.infer<typeof EarlyStoppingState>;

export interface EarlyStoppingOptions {
  /** Validations without progress that end the training; never when absent. */
  readonly patience?: number | undefined;
  /** Share by which a value must fall to count as progress. */
  readonly minimumImprovement: number;
}

export class EarlyStopping {
  readonly #options: EarlyStoppingOptions;
  #state: EarlyStoppingState = { best: null, stale: 0 };

  constructor(options: EarlyStoppingOptions) {
    this.#options = options;
  }

  /** @returns whether it is the best so far; a value that is not finite never is */
  note(step: number, value: number): boolean {
    const { best, stale } = this.#state;
    const limit =
      best === null
        ? Number.POSITIVE_INFINITY
        : best.value - Math.abs(best.value) * this.#options.minimumImprovement;
    const isBest = value < limit;
    this.#state = isBest ? { best: { step, value }, stale: 0 } : { best, stale: stale + 1 };
    return isBest;
  }

  get shouldStop(): boolean {
    const { patience } = this.#options;
    return patience !== undefined && this.#state.stale >= patience;
  }

  state(): EarlyStoppingState {
    return this.#state;
  }

  load(state: EarlyStoppingState): void {
    this.#state = state;
  }
}
