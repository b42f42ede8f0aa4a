/** lr_schedule: rates (and momenta) of whole schedules, from torch, transformers and torchtitan. */
import { ScheduleSpec, scheduleAt } from '@tollama/training/schedule/schedule';
import { type Comparison, compare, type Tolerance } from '../../compare.ts';

interface ScheduleCase extends Tolerance {
  readonly input: {
    readonly kind: string;
    readonly base_lr: number;
    readonly steps: number;
    readonly options: Readonly<Record<string, unknown>>;
  };
  readonly expected: { readonly lr: readonly number[]; readonly momentum?: readonly number[] };
}

export const lrSchedule = (given: unknown): readonly Comparison[] => {
  const { input, expected, ...tolerance } = given as ScheduleCase;
  const spec = ScheduleSpec.parse({ kind: input.kind, ...input.options });
  const values = Array.from({ length: input.steps }, (_, step) =>
    scheduleAt(spec, input.base_lr, step),
  );
  const rates = values.map(({ learningRate }) => learningRate);
  const momenta = values.map(({ momentum }) => momentum ?? Number.NaN);
  return [
    compare('lr', rates, expected.lr, tolerance),
    ...(expected.momentum ? [compare('momentum', momenta, expected.momentum, tolerance)] : []),
  ];
};
