/**
 * The range test of Smith (2017, section 3.3): steps with a learning rate that grows exponentially; the rate where
 * the loss falls fastest is a good one to train with. Nothing of it stays: the step ends as it began, bit for bit.
 */
import type { Feeds } from '@tollama/graph';
import type { TrainingStep } from '../step/training-step.ts';
import { copyTensors } from '../trainer/moving-average.ts';

export interface RateSweep {
  readonly lowest: number;
  readonly highest: number;
  readonly steps: number;
  /** A smoothed loss this many times the best one ends the sweep. */
  readonly divergence: number;
  /** Of the running mean of the losses. */
  readonly smoothing: number;
  /** Steps that give no suggestion, at the beginning and at the end. */
  readonly skipBegin: number;
  readonly skipEnd: number;
}

/** Those of Lightning's finder and of fastai's. */
export const SWEEP_DEFAULTS: RateSweep = {
  lowest: 1e-7,
  highest: 1,
  steps: 100,
  divergence: 4,
  smoothing: 0.98,
  skipBegin: 10,
  skipEnd: 1,
};

export interface SweptRates {
  readonly rates: readonly number[];
  /** Exponential means of the losses, corrected for their beginning. */
  readonly losses: readonly number[];
  readonly hasDiverged: boolean;
  /** Undefined where the sweep ended too early to tell. */
  readonly suggestion: number | undefined;
}

/** lowest (highest / lowest)^(i / (steps - 1)) */
export const sweptRate = ({ lowest, highest, steps }: RateSweep, i: number): number =>
  lowest * (highest / lowest) ** (steps > 1 ? i / (steps - 1) : 0);

/**
 * The rate of the steepest descent of the loss over the logarithm of the rate. (Recent versions of Lightning take the
 * slope over the rate itself, which the smallest rates always win.)
 */
export const steepestRate = (
  rates: readonly number[],
  losses: readonly number[],
  { skipBegin, skipEnd }: Pick<RateSweep, 'skipBegin' | 'skipEnd'>,
): number | undefined => {
  const end = losses.length - skipEnd;
  const points = losses.flatMap((loss, i) =>
    i >= skipBegin && i < end && Number.isFinite(loss) ? [{ loss, rate: rates[i]! }] : [],
  );
  if (points.length < 2) return undefined;
  // One-sided at the ends, like numpy's gradient.
  const slopes = points.map((_, i) => {
    const [before, after] = [
      points[Math.max(0, i - 1)]!,
      points[Math.min(points.length - 1, i + 1)]!,
    ];
    return (after.loss - before.loss) / Math.log(after.rate / before.rate);
  });
  return points[slopes.indexOf(Math.min(...slopes))]!.rate;
};

export interface SweepParts {
  /** The micro-batches of a step. */
  readonly next: () => readonly Feeds[];
  /**
   * The loss after a step; that of the step's own batch, before it, when absent. On the same windows every time there
   * is no noise of the batches, which is steeper than what the lowest rates do.
   */
  readonly lossOf?: ((step: TrainingStep) => Promise<number>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Takes one step. @returns its loss; undefined for a step that is not finite */
const sweptLoss = async (
  step: TrainingStep,
  { next, lossOf }: SweepParts,
  learningRate: number,
): Promise<number | undefined> => {
  const result = await step.run(next(), { learningRate });
  if (!result.finite) return undefined;
  result.commit();
  const loss = lossOf ? await lossOf(step) : result.loss;
  return Number.isFinite(loss) ? loss : undefined;
};

const sweepLosses = async (
  step: TrainingStep,
  parts: SweepParts,
  sweep: RateSweep,
): Promise<Omit<SweptRates, 'suggestion'>> => {
  const [rates, losses]: [number[], number[]] = [[], []];
  let mean = 0;
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < sweep.steps && !parts.signal?.aborted; i++) {
    const rate = sweptRate(sweep, i);
    const loss = await sweptLoss(step, parts, rate);
    if (loss === undefined) return { rates, losses, hasDiverged: true };
    mean = sweep.smoothing * mean + (1 - sweep.smoothing) * loss;
    const smoothed = mean / (1 - sweep.smoothing ** (i + 1));
    rates.push(rate);
    losses.push(smoothed);
    if (i > 0 && smoothed > sweep.divergence * best) return { rates, losses, hasDiverged: true };
    best = Math.min(best, smoothed);
  }
  return { rates, losses, hasDiverged: false };
};

/**
 * Sweeps the learning rate. Parameters, moments and the count of steps are put back whatever happens; the batches are
 * the caller's, who gives ones of their own.
 */
export const findLearningRate = async (
  step: TrainingStep,
  parts: SweepParts,
  given: Partial<RateSweep> = {},
): Promise<SweptRates> => {
  const sweep = { ...SWEEP_DEFAULTS, ...given };
  const present = step.state();
  const before = {
    ...present,
    parameters: copyTensors(present.parameters),
    moments: copyTensors(present.moments),
  };
  try {
    const swept = await sweepLosses(step, parts, sweep);
    return { ...swept, suggestion: steepestRate(swept.rates, swept.losses, sweep) };
  } finally {
    step.load(before);
  }
};
