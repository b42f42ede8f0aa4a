/** trainer.json of a checkpoint: all that a training goes on from, beside its tensors. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import { SamplerState } from '../data/sampler.ts';
import { EarlyStoppingState } from './early-stopping.ts';

export const RECORD_SCHEMA = 1;

export const TrainingRecord = z.strictObject({
  schema: z.literal(RECORD_SCHEMA),
  /** Committed steps. */
  step: z.int().min(0),
  epoch: z.int().min(0),
  /** Steps before the first one of seeds that came later. */
  births: z.record(z.string(), z.int().min(0)).optional(),
  /** Batches drawn, those of steps that were refused or rolled back included. */
  batches: z.int().min(0),
  sampler: SamplerState,
  /** What rollbacks have cut the learning rate to. */
  rate_factor: z.number().positive(),
  early_stopping: EarlyStoppingState,
  governor: z.strictObject({ history: z.array(z.number()), streak: z.int().min(0) }),
  emergency: z.strictObject({
    failed_in_row: z.int().min(0),
    rollbacks: z.array(z.int().min(0)),
  }),
  /** Whether the epoch under way had a step that failed. */
  is_epoch_clean: z.boolean(),
  /** Whether nothing may be decided until a clean epoch. */
  is_conservative: z.boolean().optional(),
  /** Steps and sum of the losses of the epoch under way. */
  epoch_loss: z.strictObject({ sum: z.number(), count: z.int().min(0) }),
  /** sha256 of all that determines the training: a run goes on under the same alone. */
  config_hash: z.string(),
  /** The model that is adapted; null for a training from scratch. */
  base: z.strictObject({ model: z.string(), revision: z.string() }).nullable(),
  /** Slots with their seeds, of those who have any. */
  slots: z.record(z.string(), z.unknown()),
});
export type TrainingRecord = z.infer<typeof TrainingRecord>;

const refuse = (message: string, hint: string): never => {
  throw new TollamaError('CHECKPOINT_INVALID', message, { hint });
};

/**
 * @throws TollamaError CHECKPOINT_INVALID for another schema, base revision or configuration than the run's
 */
export const parseRecord = (
  text: string | undefined,
  expected: Pick<TrainingRecord, 'config_hash' | 'base'>,
): TrainingRecord => {
  let value: unknown;
  try {
    value = JSON.parse(text ?? '');
  } catch {
    return refuse('the checkpoint has no trainer.json that is JSON', 'go on from another one');
  }
  const parsed = TrainingRecord.safeParse(value);
  if (!parsed.success) {
    const place = parsed.error.issues[0]!.path.join('.');
    return refuse(`trainer.json is malformed at '${place}'`, 'go on from another checkpoint');
  }
  const { base, config_hash } = parsed.data;
  if (base?.revision !== expected.base?.revision || base?.model !== expected.base?.model) {
    return refuse(
      `the checkpoint belongs to ${base?.model ?? 'no base'}@${base?.revision ?? '-'}, the run to ${expected.base?.model ?? 'no base'}@${expected.base?.revision ?? '-'}`,
      'pull that revision of the base, or start a new training',
    );
  }
  if (config_hash !== expected.config_hash) {
    return refuse(
      'the checkpoint was written under other options or data',
      'resume with the options of the first run, or start a new training',
    );
  }
  return parsed.data;
};
