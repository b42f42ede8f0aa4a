/** A process that computes gradients: it has a step of its own, and is told the parameters before each step. */
import { toTollamaError } from '@tollama/core/errors';
import type { TrainingStep } from '../step/training-step.ts';
import { flatOf, type ShardReply, type ShardTask, viewsOf } from './shard-task.ts';

const answer = async (step: TrainingStep, task: ShardTask): Promise<ShardReply | undefined> => {
  if (task.kind === 'parameters') {
    const { moments } = step.state();
    step.load({ parameters: viewsOf(task.values, step.parameters), moments, step: 0 });
    return undefined;
  }
  const { batch, alpha } = task;
  const { loss, gradients } = await step.gradients(batch, alpha === undefined ? {} : { alpha });
  return { kind: 'done', loss, gradients: flatOf(gradients, step.parameters) };
};

/** Answers tasks one after the other until whoever started the process goes. */
export const serveShards = (open: () => Promise<TrainingStep>): void => {
  const send = (reply: ShardReply): void => void process.send?.(reply);
  const opening = open();
  // Told with the first task; the rejection must not end the process before.
  opening.catch(() => {});
  let last = Promise.resolve();
  process.on('message', (task: ShardTask) => {
    last = last.then(async () => {
      const reply = await opening
        .then((step) => answer(step, task))
        .catch((thrown): ShardReply | undefined => {
          const { code, message } = toTollamaError(thrown);
          return task.kind === 'gradients' ? { kind: 'failed', code, message } : undefined;
        });
      if (reply) send(reply);
    });
  });
  process.on('disconnect', () => process.exit(0));
  // An interrupt of the terminal reaches all of its processes: the training decides.
  process.on('SIGINT', () => {});
};
