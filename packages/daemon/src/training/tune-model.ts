/** Fine-tuning as a part of another request: a training job that is waited for. */
import { isErrorCode, TollamaError } from '@tollama/core/errors';
import { isStatisticalName } from '@tollama/core/statistical';
import { JobOptions, type JobSeries } from '@tollama/core/training-job';
import type { DaemonContext } from '../context.ts';
import type { FineTuning, TuningOrder } from '../timegpt/fine-tuning.ts';
import { baseOf } from './base-of.ts';
import type { TrainingJobs } from './training-jobs.ts';

/** What a depth from 1 to 5 trains. */
const DEPTHS = {
  1: { adapter: 'head' },
  2: { adapter: 'lora', rank: 4 },
  3: { adapter: 'lora', rank: 8 },
  4: { adapter: 'lora', rank: 16 },
  5: { adapter: 'full' },
} as const;

const seriesOf = ({ panel, freq }: TuningOrder): JobSeries =>
  panel.sizes.map((size, i) => {
    const from = panel.offsets[i]!;
    const values = Array.from(panel.values.subarray(from, from + size), (value) =>
      Number.isNaN(value) ? null : value,
    );
    return { id: `series${i}`, freq, values };
  });

/** Steps of a request are few: they are one epoch, and nothing of the data is kept from them. */
const optionsOf = ({ steps, depth, loss }: TuningOrder): JobOptions =>
  JobOptions.parse({
    ...DEPTHS[depth as keyof typeof DEPTHS],
    steps,
    loss,
    epochs: 1,
    warmup: 0,
    batch_size: 16,
    validation_windows: 0,
  });

export const fineTuning = (
  training: TrainingJobs,
  { store, loaded }: Pick<DaemonContext, 'store' | 'loaded'>,
): FineTuning => ({
  async tune(order) {
    const { model, name, signal } = order;
    if (isStatisticalName(model)) {
      throw new TollamaError('NOT_OFFERED', `'${model}' has no weights to tune`, {
        hint: 'ask for a model that has, such as tollama-nano or chronos-bolt-small',
      });
    }
    const base = await baseOf(model, { store });
    const options = optionsOf(order);
    const { id } = await training.create({
      name,
      base,
      architecture: null,
      options,
      series: seriesOf(order),
    });
    signal?.addEventListener('abort', () => void training.cancel(id).catch(() => {}));
    await training.ended(id);
    const { status, result } = await training.get(id);
    await training.purge(id);
    if (status === 'finished') return;
    const { error } = result ?? {};
    const code = isErrorCode(error?.code) ? error.code : 'RUNNER_ERROR';
    throw new TollamaError(code, error?.message ?? `the fine-tuning is ${status}`, {
      ...(error?.hint !== undefined && { hint: error.hint }),
    });
  },
  async remove(name) {
    await loaded.remove(name);
    await store.change(name, () => store.remove(name));
  },
});
