import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { JOB_SCHEMA, JobConfig, type JobOptions } from '@tollama/core/training-job';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import type { TrainingEvent } from '../telemetry/event.ts';
import { runJob } from './run-job.ts';

const SERIES = [
  {
    id: 'a',
    freq: 'h',
    values: Array.from({ length: 300 }, (_, t) => 5 + Math.sin(t / 4) + 0.1 * Math.sin(t * 1.7)),
  },
];
const ARCHITECTURE = { model_type: 'nbeatsx', input_size: 32, horizon: 8, mlp_units: [16, 16] };

const writeJob = async (folder: string, options: Partial<JobOptions>): Promise<string> => {
  const fixed = { adapter: 'full', steps: 8, epochs: 2, threads: 1, horizon: 8 } as const;
  const job = JobConfig.parse({
    ...{ schema: JOB_SCHEMA, id: 'job', name: 'tiny:test', base: null, architecture: ARCHITECTURE },
    options: { ...fixed, ...options },
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'job.json'), JSON.stringify(job));
  await writeFile(join(folder, 'series.json'), JSON.stringify(SERIES));
  return folder;
};

const weightsOf = (folder: string): Promise<Buffer> =>
  readFile(join(folder, 'model/model.safetensors'));

test('a job with a rate that it found ends as one that was told that rate, bit for bit', async () => {
  await withFolder(async (folder) => {
    const [one, other] = [join(folder, 'one'), join(folder, 'other')];
    const events: TrainingEvent[] = [];
    const found = await runJob(await writeJob(one, { find_learning_rate: true }), {
      onEvent: (event) => void events.push(event),
    });
    const rate = found.found!.learning_rate!;
    expect(found.found).toEqual({ learning_rate: rate, batch_size: null });
    const told = events.find(({ name }) => name === 'training.learning_rate_found')!;
    expect(told.attributes).toMatchObject({ learning_rate: rate });
    await runJob(await writeJob(other, { learning_rate: rate }));
    expect((await weightsOf(one)).equals(await weightsOf(other))).toBe(true);
  });
});

test('a batch size stays within its memory, and a job that goes on has the same', async () => {
  await withFolder(async (folder) => {
    const options = { find_batch_size: true, find_learning_rate: true, memory_mb: 1 };
    await writeJob(folder, options);
    const stop = new AbortController();
    const first = await runJob(folder, {
      signal: stop.signal,
      onEvent: ({ name }) => name === 'training.epoch' && stop.abort(),
    });
    expect(first.end).toBe('stopped');
    expect(first.found!.batch_size! % 8).toBe(0);
    const events: string[] = [];
    const second = await runJob(folder, { onEvent: ({ name }) => void events.push(name) });
    expect(second).toMatchObject({ end: 'finished', step: 8, found: first.found });
    expect(events).not.toContain('training.batch_size_found');
  });
});

test('one that is stopped while it looks has not begun, and looks again', async () => {
  await withFolder(async (folder) => {
    await writeJob(folder, { find_learning_rate: true });
    const stopped = await runJob(folder, { signal: AbortSignal.abort() });
    expect(stopped).toMatchObject({ end: 'stopped', step: 0, output: null });
    expect(await runJob(folder)).toMatchObject({ end: 'finished', step: 8 });
  });
});

test('a found.json that is no such thing is refused', async () => {
  await withFolder(async (folder) => {
    await writeJob(folder, { find_learning_rate: true });
    await writeFile(join(folder, 'found.json'), '{"learning_rate": "high"}');
    await expect(runJob(folder)).rejects.toThrow('is not what a training writes');
  });
});
