/** The files of a job. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { JobConfig, JobSeries } from '@tollama/core/training-job';
import type { z } from 'zod';

export interface JobPaths {
  readonly folder: string;
  readonly config: string;
  readonly series: string;
  /** What was found before the training, where something was asked for. */
  readonly found: string;
  readonly events: string;
  readonly metrics: string;
  readonly checkpoints: string;
  /** Random weights that a training from scratch begins with. */
  readonly start: string;
  /** What came out: a PEFT folder, or a checkpoint folder. */
  readonly adapter: string;
  readonly model: string;
  readonly result: string;
}

export const jobPaths = (folder: string): JobPaths => ({
  folder,
  config: join(folder, 'job.json'),
  series: join(folder, 'series.json'),
  found: join(folder, 'found.json'),
  events: join(folder, 'events.jsonl'),
  metrics: join(folder, 'metrics.prom'),
  checkpoints: join(folder, 'checkpoints'),
  start: join(folder, 'start'),
  adapter: join(folder, 'adapter'),
  model: join(folder, 'model'),
  result: join(folder, 'result.json'),
});

const readJson = async <S extends z.ZodType>(path: string, schema: S): Promise<z.infer<S>> => {
  const refuse = (why: string, cause?: unknown): never => {
    throw new TollamaError('INVALID_INPUT', `${path} ${why}`, {
      hint: 'start the training again',
      cause,
    });
  };
  const text = await readFile(path, 'utf8').catch((cause) => refuse('cannot be read', cause));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refuse('is not JSON', cause);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return refuse(`is malformed at '${issue!.path.join('.')}': ${issue!.message}`);
};

export const readJobConfig = (folder: string): Promise<JobConfig> =>
  readJson(jobPaths(folder).config, JobConfig);

export const readJobSeries = (folder: string): Promise<JobSeries> =>
  readJson(jobPaths(folder).series, JobSeries);
