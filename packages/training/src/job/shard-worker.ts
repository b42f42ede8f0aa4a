/** A process of a job's training, `shard-worker FOLDER WISH THREADS`: opens the job's model and computes gradients. */
import type { TrainingWish } from '@tollama/models/family';
import { serveShards } from '../parallel/serve-shards.ts';
import { openTrainingStep } from '../step/open-training-step.ts';
import { jobPaths, readJobConfig } from './job-folder.ts';
import { startPath, stepOptions } from './open-model.ts';
import { openModelParts, trainableModel } from './trainable.ts';

const [folder, wish, threads] = process.argv.slice(2) as [string, string, string];

serveShards(async () => {
  const job = await readJobConfig(folder);
  const start = startPath(job, jobPaths(folder));
  const parts = await openModelParts(start, JSON.parse(wish) as TrainingWish);
  const model = await trainableModel(parts, job.options);
  return openTrainingStep(stepOptions(model, parts, { ...job.options, threads: Number(threads) }));
});
