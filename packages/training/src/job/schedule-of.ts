import { parseBody } from '@tollama/core/schema-issues';
import type { AdapterKind, JobOptions } from '@tollama/core/training-job';
import { ScheduleSpec } from '../schedule/schedule.ts';

/** Rates that fit the size of what is trained. */
const RATES: Readonly<Record<AdapterKind, number>> = {
  lora: 1e-3,
  dora: 1e-3,
  bottleneck: 1e-3,
  head: 1e-3,
  full: 2e-4,
};
const FROM_SCRATCH = 1e-3;

/** The highest learning rate: what the user says, else what fits the adapter. */
export const learningRateOf = (options: JobOptions, isFromScratch: boolean): number =>
  options.learning_rate ?? (isFromScratch ? FROM_SCRATCH : RATES[options.adapter]);

/**
 * The schedule over all steps of a job; a short name stands for its usual form.
 *
 * @param highest the rate at its top
 */
export const scheduleOf = (options: JobOptions, steps: number, highest: number): ScheduleSpec => {
  const { schedule } = options;
  if (typeof schedule !== 'string') return parseBody(ScheduleSpec, schedule);
  const warmup_steps = Math.round(options.warmup * steps);
  const total_steps = steps;
  switch (schedule) {
    case 'constant':
      return { kind: 'constant' };
    case 'cosine':
      return { kind: 'warmup_cosine', warmup_steps, total_steps, cycles: 0.5 };
    case 'linear':
      return { kind: 'warmup_linear', warmup_steps, total_steps };
    case 'one-cycle':
      return ScheduleSpec.parse({ kind: 'one_cycle', max_lr: highest, total_steps });
    case 'wsd':
      return {
        kind: 'warmup_stable_decay',
        warmup_steps,
        total_steps: steps,
        decay_ratio: 0.2,
        decay: 'linear',
        min_lr_factor: 0,
      };
  }
};
