/** How a seed's share of its slot's output grows and fades: alpha, moved by ticks along a curve. */
import { TollamaError } from '@tollama/core/errors';

export const CURVES = ['linear', 'cosine', 'sigmoid'] as const;
export type Curve = (typeof CURVES)[number];

export const DEFAULT_STEEPNESS = 12;

export interface Ramp {
  readonly start: number;
  readonly target: number;
  /** Ticks from start to target; 0 is at once. */
  readonly steps: number;
  readonly curve: Curve;
  /** Of the sigmoid. */
  readonly steepness?: number | undefined;
}

const logistic = (x: number): number => 1 / (1 + Math.exp(-x));

/** Rises from 0 at t = 0 to 1 at t = 1. */
const curveAt = (curve: Curve, t: number, steepness: number): number => {
  switch (curve) {
    case 'linear':
      return t;
    case 'cosine':
      return (1 - Math.cos(Math.PI * t)) / 2;
    case 'sigmoid': {
      const low = logistic(-steepness / 2);
      return (logistic(steepness * (t - 0.5)) - low) / (logistic(steepness / 2) - low);
    }
  }
};

/** Alpha after `ticks` ticks of a ramp; the last tick is the target exactly. */
export const alphaAfter = (ramp: Ramp, ticks: number): number => {
  const { start, target, steps, curve, steepness = DEFAULT_STEEPNESS } = ramp;
  if (ticks >= steps) return target;
  if (ticks <= 0) return start;
  return start + (target - start) * curveAt(curve, ticks / steps, steepness);
};

/**
 * The schedule of the first prototype, (1 + tanh((k - n/2) / (2T))) / 2. It reaches neither 0 nor 1, so no gate
 * may wait for it; kept to read old recordings.
 */
export const tanhAlpha = (tick: number, totalSteps: number, temperature: number): number =>
  (1 + Math.tanh((tick - totalSteps / 2) / (2 * temperature))) / 2;

/** All of a controller, for snapshots. */
export interface AlphaState {
  readonly ramp: Ramp;
  readonly ticks: number;
}

const checkRamp = ({ start, target, steps }: Ramp): void => {
  const fields = { start, target };
  for (const [field, value] of Object.entries(fields)) {
    if (value >= 0 && value <= 1) continue;
    throw new TollamaError('INVALID_REQUEST', `alpha ${field} = ${value} lies outside 0 to 1`, {
      hint: 'give an alpha from 0 to 1',
    });
  }
  if (Number.isInteger(steps) && steps >= 0) return;
  throw new TollamaError('INVALID_REQUEST', `alpha steps = ${steps} is not a whole number >= 0`, {
    hint: 'give the ramp a number of ticks; 0 sets alpha at once',
  });
};

/** Alpha of one seed: holds, or runs along one ramp that can't be changed before its end. */
export class AlphaController {
  #ramp: Ramp = { start: 0, target: 0, steps: 0, curve: 'linear' };
  #ticks = 0;

  get alpha(): number {
    return alphaAfter(this.#ramp, this.#ticks);
  }

  get target(): number {
    return this.#ramp.target;
  }

  get isHolding(): boolean {
    return this.#ticks >= this.#ramp.steps;
  }

  /** @throws TollamaError BUSY while a ramp runs, INVALID_REQUEST for values out of range */
  retarget(ramp: Omit<Ramp, 'start'>): void {
    if (!this.isHolding) {
      const left = this.#ramp.steps - this.#ticks;
      throw new TollamaError(
        'BUSY',
        `alpha is on its way to ${this.#ramp.target}, ${left} ticks are left`,
        { hint: 'wait until the ramp has ended, or cull the seed' },
      );
    }
    const next = { ...ramp, start: this.alpha };
    checkRamp(next);
    this.#ramp = next;
    this.#ticks = 0;
  }

  /** One tick of the ramp; nothing when it holds. Answers alpha. */
  tick(): number {
    if (!this.isHolding) this.#ticks++;
    return this.alpha;
  }

  state(): AlphaState {
    return { ramp: this.#ramp, ticks: this.#ticks };
  }

  load({ ramp, ticks }: AlphaState): void {
    checkRamp(ramp);
    this.#ramp = ramp;
    this.#ticks = ticks;
  }
}
