/** Losses of a point forecast that a user may ask for; all without a unit, so that series weigh alike. */
import type { TrainingLoss } from '@tollama/core/training-job';
import { abs, add, div, log, maximum, mul, sqrt, sub, sum, type Tensor } from '@tollama/graph';
import type { PointLoss } from '@tollama/models/family';
import { huber } from '../loss/losses.ts';

export type PointKind = Exclude<TrainingLoss, 'default'> | PointLoss;

/** All [batch, 1, steps]; the weights of all points are together 1. */
export interface Points {
  readonly label: Tensor;
  readonly prediction: Tensor;
  /** Of the context, [batch, 1, 1]. */
  readonly spread: Tensor;
  readonly weight: Tensor;
}

/** Shares of the spread below which a divisor or a rate counts as that much. */
const LEAST_DIVISOR = 0.01;
const LEAST_RATE = 1e-4;
/** The root has no slope at 0. */
const LEAST_SQUARE = 1e-12;

const total = ({ weight }: Points, values: Tensor): Tensor => sum(mul(values, weight), [0, 1, 2]);

const atLeast = (x: Tensor, share: number, { spread }: Points): Tensor =>
  maximum(x, mul(spread, share));

/**
 * The Poisson likelihood of counts without its constant, by the spread: rate - y log(rate); a label below 0 counts
 * as 0.
 */
const poisson = (p: Points): Tensor => {
  const rate = atLeast(p.prediction, LEAST_RATE, p);
  const logarithm = log(div(rate, p.spread));
  return div(sub(rate, mul(maximum(p.label, 0), logarithm)), p.spread);
};

/** -> scalar */
export const pointLoss = (kind: PointKind, p: Points): Tensor => {
  const difference = sub(p.label, p.prediction);
  const error = div(difference, p.spread);
  const size = abs(difference);
  switch (kind) {
    case 'absolute':
    case 'mae':
      return total(p, abs(error));
    case 'huber':
      return total(p, huber(error));
    case 'squared':
    case 'mse':
      return total(p, mul(error, error));
    case 'rmse':
      return sqrt(add(total(p, mul(error, error)), LEAST_SQUARE));
    case 'mape':
      return total(p, div(size, atLeast(abs(p.label), LEAST_DIVISOR, p)));
    case 'smape': {
      const both = add(abs(p.label), abs(p.prediction));
      return total(p, div(mul(size, 2), atLeast(both, LEAST_DIVISOR, p)));
    }
    case 'poisson':
      return total(p, poisson(p));
  }
};
