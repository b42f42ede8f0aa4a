/** Warm-up, stable, decay as torchtitan's lr_scheduler.py has it. */

export interface WarmupStableDecay {
  readonly warmup_steps: number;
  readonly total_steps: number;
  /** Share of all steps that decay; everything after the warm-up when absent. */
  readonly decay_ratio?: number | null | undefined;
  readonly decay: 'linear' | 'sqrt' | 'cosine';
  readonly min_lr_factor: number;
}

/** As Python rounds. */
const roundHalfToEven = (value: number): number =>
  value % 1 === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);

const DECAYS = {
  linear: (t: number): number => 1 - t,
  sqrt: (t: number): number => 1 - Math.sqrt(t),
  cosine: (t: number): number => (1 + Math.cos(Math.PI * t)) / 2,
} as const;

/**
 * Factor on the base rate. The warm-up counts from 1, so that the first step trains; one virtual stable step
 * more than asked keeps the last real step from the end of the decay.
 */
export const warmupStableDecay = (spec: WarmupStableDecay, step: number): number => {
  const { total_steps, decay, min_lr_factor: floor } = spec;
  const warmup = Math.min(spec.warmup_steps, total_steps);
  const asked =
    spec.decay_ratio === undefined || spec.decay_ratio === null
      ? total_steps - warmup
      : roundHalfToEven(total_steps * spec.decay_ratio);
  const decaySteps = Math.min(asked, total_steps - warmup);
  const stable = total_steps + 1 - warmup - decaySteps;
  if (step < warmup) return (step + 1) / warmup;
  const into = step - warmup - stable;
  if (into < 0 || decaySteps === 0) return 1;
  const t = Math.min(1, (into + 1) / decaySteps);
  return floor + (1 - floor) * DECAYS[decay](t);
};
