/** Golden cases of learning-rate schedules, from torch, transformers and torchtitan. */
import { ScheduleSpec, scheduleAt } from '@tollama/training/schedule/schedule';
import type { Operation } from './control.ts';

interface ScheduleInput {
  readonly kind: string;
  readonly base_lr: number;
  readonly steps: number;
  readonly options: Readonly<Record<string, unknown>>;
}

const lrSchedule: Operation = (input) => {
  const { kind, base_lr, steps, options } = input as unknown as ScheduleInput;
  const spec = ScheduleSpec.parse({ kind, ...options });
  const values = Array.from({ length: steps }, (_, step) => scheduleAt(spec, base_lr, step));
  return {
    lr: values.map(({ learningRate }) => learningRate),
    momentum: values.map(({ momentum }) => momentum ?? Number.NaN),
  };
};

export const scheduleOps: Readonly<Record<string, Operation>> = { lr_schedule: lrSchedule };
