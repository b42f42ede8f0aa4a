/** OneCycle (Smith & Topin 2017) as torch.optim.lr_scheduler.OneCycleLR has it. */
import { TollamaError } from '@tollama/core/errors';

export interface OneCycle {
  readonly max_lr: number;
  readonly total_steps: number;
  readonly pct_start: number;
  readonly anneal_strategy: 'cos' | 'linear';
  readonly div_factor: number;
  readonly final_div_factor: number;
  readonly three_phase: boolean;
  readonly base_momentum: number;
  readonly max_momentum: number;
}

/** A stretch of the cycle up to the step `end`, by the names of the values at its two ends. */
interface Phase {
  readonly end: number;
  readonly rate: readonly [from: number, to: number];
  readonly momentum: readonly [from: number, to: number];
}

const phasesOf = (c: OneCycle): readonly Phase[] => {
  const initial = c.max_lr / c.div_factor;
  const final = initial / c.final_div_factor;
  const last = c.total_steps - 1;
  const up: Phase = {
    end: c.pct_start * c.total_steps - 1,
    rate: [initial, c.max_lr],
    momentum: [c.max_momentum, c.base_momentum],
  };
  const back: readonly [number, number] = [c.base_momentum, c.max_momentum];
  if (!c.three_phase) return [up, { end: last, rate: [c.max_lr, final], momentum: back }];
  const down = {
    end: 2 * c.pct_start * c.total_steps - 2,
    rate: [c.max_lr, initial],
    momentum: back,
  } as const;
  const flat = [c.max_momentum, c.max_momentum] as const;
  return [up, down, { end: last, rate: [initial, final], momentum: flat }];
};

/** Rate and momentum at a step from 0 to total_steps - 1; torch refuses later ones as well. */
export const oneCycle = (
  cycle: OneCycle,
  step: number,
): { readonly learningRate: number; readonly momentum: number } => {
  if (step >= cycle.total_steps) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `step ${step} lies past the end of a one_cycle schedule of ${cycle.total_steps} steps`,
      { hint: 'give the schedule as many steps as the training has' },
    );
  }
  const phases = phasesOf(cycle);
  const place = phases.findIndex(({ end }) => step <= end);
  const at = place < 0 ? phases.length - 1 : place;
  const { end, rate, momentum } = phases[at]!;
  const start = phases[at - 1]?.end ?? 0;
  const t = end === start ? 1 : (step - start) / (end - start);
  const anneal = ([from, to]: readonly [number, number]): number =>
    cycle.anneal_strategy === 'linear'
      ? from + (to - from) * t
      : to + ((from - to) / 2) * (1 + Math.cos(Math.PI * t));
  return { learningRate: anneal(rate), momentum: anneal(momentum) };
};
