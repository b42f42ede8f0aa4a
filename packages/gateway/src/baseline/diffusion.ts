/** A level and how far the future may have moved from it: what normal baselines come to. */
export interface Diffusion {
  readonly level: number;
  /** Standard deviation `step` steps ahead, the first step being 1. */
  readonly sigmaAt: (step: number) => number;
}
