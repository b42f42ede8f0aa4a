/**
 * Statistical baselines of a series of probabilities: what is answered when no model can be asked. They work
 * in log odds or in the values' own space, and answer in probabilities.
 */
import { TollamaError } from '@tollama/core/errors';
import { ascendingCopy, linearQuantile } from '../numbers/linear-quantile.ts';
import { clipToUnit, inverseLogit, logit } from '../numbers/logit.ts';
import { normalQuantile } from '../numbers/normal-quantile.ts';
import type { Diffusion } from './diffusion.ts';
import { ewma } from './ewma.ts';
import { kalman } from './kalman.ts';

export const BASELINE_METHODS = ['EWMA', 'KALMAN', 'ROLLING_QUANTILE'] as const;
export type BaselineMethod = (typeof BASELINE_METHODS)[number];

/** flat: the last step's band at every step; widening: at step k the band of a horizon of k steps. */
export type BaselineHorizon = 'flat' | 'widening';

export interface BaselineTask {
  /** Probabilities, oldest first; at least one. */
  readonly series: readonly number[];
  /** Ascending. */
  readonly levels: readonly number[];
  readonly horizon: number;
  readonly usesLogit: boolean;
  /** Clamp of the log odds, and the floor of variances. */
  readonly eps: number;
  readonly shape: BaselineHorizon;
  /** Weight of the newest value, for EWMA. */
  readonly alpha?: number;
}

/** Points that the rolling quantile looks back on. */
const ROLLING_WINDOW = 64;

export const isBaselineMethod = (name: string): name is BaselineMethod =>
  (BASELINE_METHODS as readonly string[]).includes(name);

/** The name that a band is published under. */
export const baselineModelId = (method: BaselineMethod): string =>
  `baseline-${method.toLowerCase().replaceAll('_', '-')}-v1`;

/** level -> value, in the working space, `step` steps ahead. */
type QuantileAt = (level: number, step: number) => number;

const ofDiffusion =
  ({ level: centre, sigmaAt }: Diffusion): QuantileAt =>
  (level, step) =>
    centre + normalQuantile(level) * sigmaAt(step);

const quantileAt = (
  method: BaselineMethod,
  values: readonly number[],
  task: BaselineTask,
): QuantileAt => {
  switch (method) {
    case 'EWMA':
      return ofDiffusion(ewma(values, task.eps, task.alpha));
    case 'KALMAN':
      return ofDiffusion(kalman(values, task.eps));
    case 'ROLLING_QUANTILE': {
      const recent = ascendingCopy(values.slice(-ROLLING_WINDOW));
      return (level) => linearQuantile(recent, level);
    }
    default:
      throw new TollamaError('CONFIG_INVALID', `unknown baseline method '${method as string}'`, {
        hint: `use ${BASELINE_METHODS.join(', ')}`,
      });
  }
};

/** [levels][horizon], probabilities that ascend with their level. Throws INTERNAL when one is not finite. */
export const baselineRows = (method: BaselineMethod, task: BaselineTask): number[][] => {
  const { series, levels, horizon, usesLogit, eps, shape } = task;
  const values = usesLogit ? series.map((value) => logit(value, eps)) : series;
  const at = quantileAt(method, values, task);
  const bandAt = (step: number): number[] => {
    const band = levels.map((level) => at(level, step));
    if (!band.every(Number.isFinite)) {
      throw new TollamaError('INTERNAL', `baseline ${method} is not finite ${step} steps ahead`);
    }
    return ascendingCopy(band.map((value) => clipToUnit(usesLogit ? inverseLogit(value) : value)));
  };
  if (shape === 'flat') {
    return bandAt(horizon).map((value) => Array.from({ length: horizon }, () => value));
  }
  const bands = Array.from({ length: horizon }, (_, i) => bandAt(i + 1));
  return levels.map((_, row) => bands.map((band) => band[row]!));
};
