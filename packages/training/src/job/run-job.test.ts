import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type AdapterKind,
  JOB_SCHEMA,
  JobConfig,
  type JobOptions,
} from '@tollama/core/training-job';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { openModel } from '@tollama/models';
import { expect, test } from 'vitest';
import { runJob } from './run-job.ts';

const BOLT = resolve(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

const SERIES = ['a', 'b'].map((id, k) => ({
  id,
  freq: 'h',
  values: Array.from({ length: 400 }, (_, t) =>
    t === 17 ? null : 10 * (k + 1) + Math.sin((2 * Math.PI * t) / 24) + 0.1 * Math.sin(t * 1.7),
  ),
}));

const OPTIONS = { steps: 12, epochs: 2, batch_size: 8, threads: 1, horizon: 8 };

const writeJob = async (
  folder: string,
  options: Partial<JobOptions>,
  architecture: Record<string, unknown> | null = null,
): Promise<string> => {
  const base = architecture ? null : { model: 'tiny', revision: 'r1', folder: BOLT };
  const job = JobConfig.parse({
    schema: JOB_SCHEMA,
    id: 'job',
    name: 'tiny:test',
    base,
    architecture,
    options: { ...OPTIONS, ...options },
  });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'job.json'), JSON.stringify(job));
  await writeFile(join(folder, 'series.json'), JSON.stringify(SERIES));
  return folder;
};

const forecast = async (folder: string, adapter?: string): Promise<number[]> => {
  await using model = await openModel(folder, { threads: 1, adapter });
  const { forecasts } = await model.forecast({
    series: [{ id: 'a', targets: [SERIES[0]!.values.map((value) => value ?? Number.NaN)] }],
    horizon: 12,
    quantiles: [0.1, 0.5, 0.9],
    options: {},
  });
  return forecasts[0]!.targets[0]!.quantiles.flatMap((row) => Array.from(row));
};

const ADAPTERS: readonly AdapterKind[] = ['lora', 'dora', 'bottleneck', 'head'];

test.each(ADAPTERS)('a %s adapter is served over its base', async (adapter) => {
  await withFolder(async (folder) => {
    const result = await runJob(await writeJob(folder, { adapter, ema: 0.9 }));
    expect(result).toMatchObject({ end: 'finished', step: 12, output: { kind: 'adapter' } });
    const values = await forecast(BOLT, result.output!.folder);
    expect(values.every(Number.isFinite)).toBe(true);
    expect(values).not.toEqual(await forecast(BOLT));
    const config = JSON.parse(await readFile(join(folder, 'adapter/adapter_config.json'), 'utf8'));
    expect(config).toMatchObject({ base_model_name_or_path: 'tiny', revision: 'r1' });
    expect(await readFile(join(folder, 'metrics.prom'), 'utf8')).toContain(
      'tolaria_steps_total 12',
    );
  });
});

test('an adapter is trained further, and both become one model', async () => {
  await withFolder(async (folder) => {
    const first = await runJob(await writeJob(join(folder, 'first'), { adapter: 'head' }));
    const second = await writeJob(join(folder, 'second'), { adapter: 'lora' });
    const job = JSON.parse(await readFile(join(second, 'job.json'), 'utf8'));
    job.base.adapter = first.output!.folder;
    await writeFile(join(second, 'job.json'), JSON.stringify(job));
    const result = await runJob(second);
    expect(result).toMatchObject({ end: 'finished', output: { kind: 'model' } });
    // It began where the first one ended.
    expect(result.before!.loss).toBeCloseTo(first.after!.loss!, 4);
    const values = await forecast(result.output!.folder);
    expect(values).not.toEqual(await forecast(BOLT, first.output!.folder));
  });
});

test('series that are short for a pass are trained on shorter labels', async () => {
  await withFolder(async (folder) => {
    await writeJob(folder, { horizon: null, steps: 2, epochs: 1 });
    const short = SERIES.map((one) => ({ ...one, values: one.values.slice(0, 30) }));
    await writeFile(join(folder, 'series.json'), JSON.stringify(short));
    expect(await runJob(folder)).toMatchObject({ end: 'finished', step: 2 });
  });
});

const SIZES = { input_size: 32, horizon: 8 };
const ARCHITECTURES: Readonly<Record<string, Record<string, unknown>>> = {
  nhits: {
    model_type: 'nhits',
    ...SIZES,
    mlp_units: [16, 16],
    n_pool_kernel_size: [5, 2, 1],
    n_freq_downsample: [4, 2, 1],
  },
  nbeatsx: { model_type: 'nbeatsx', ...SIZES, mlp_units: [16, 16] },
  tide: { model_type: 'tide', ...SIZES, hidden_size: 16, decoder_output_dim: 4 },
  patchtst: { model_type: 'tollama-patchtst', ...SIZES, hidden_size: 16, linear_hidden_size: 32 },
};

test.each(Object.keys(ARCHITECTURES))('%s is trained from scratch, and served', async (family) => {
  await withFolder(async (folder) => {
    const options = { adapter: 'full', steps: 60 } as const;
    const result = await runJob(await writeJob(folder, options, ARCHITECTURES[family]!));
    expect(result.output).toMatchObject({ kind: 'model' });
    expect(result.after!.loss).toBeLessThan(0.75 * result.before!.loss!);
    const values = await forecast(result.output!.folder);
    expect(values.every(Number.isFinite)).toBe(true);
    // Past the horizon as well, and never crossed.
    expect(values).toHaveLength(36);
    for (let h = 0; h < 12; h++) expect(values[h]!).toBeLessThanOrEqual(values[24 + h]!);
  });
});

test.each(['lora', 'dora'] as const)(
  'a %s job that was stopped ends as one that was not',
  async (adapter) => {
    await withFolder((one) =>
      withFolder(async (other) => {
        await runJob(await writeJob(one, { adapter }));
        await writeJob(other, { adapter });
        const stop = new AbortController();
        const stopped = await runJob(other, {
          signal: stop.signal,
          onEvent: ({ name, step }) => name === 'training.progress' && step >= 4 && stop.abort(),
        });
        expect(stopped).toMatchObject({ end: 'stopped', output: null });
        expect(await runJob(other)).toMatchObject({ end: 'finished' });
        const [a, b] = await Promise.all(
          [one, other].map((folder) => readFile(join(folder, 'adapter/adapter_model.safetensors'))),
        );
        expect(a!.equals(b!)).toBe(true);
      }),
    );
  },
);

test('processes that share the batches of a step change no bit of what comes out', async () => {
  await withFolder(async (folder) => {
    const options = { accumulate: 3, steps: 6, batch_size: 4 };
    const files = [];
    for (const workers of [1, 2]) {
      const own = join(folder, String(workers));
      await runJob(await writeJob(own, { ...options, workers }));
      files.push(await readFile(join(own, 'adapter/adapter_model.safetensors')));
    }
    expect(files[0]!.equals(files[1]!)).toBe(true);
    await writeJob(join(folder, 'few'), { workers: 2 });
    await expect(runJob(join(folder, 'few'))).rejects.toThrow('workers 2 share the accumulate 1');
  });
});

test('a family that says not how is refused by name', async () => {
  await withFolder(async (folder) => {
    const path = resolve(import.meta.dirname, '../../../../golden/chronos-t5/tiny-a/config.json');
    const architecture = JSON.parse(await readFile(path, 'utf8'));
    await writeJob(folder, { adapter: 'full' }, architecture);
    await expect(runJob(folder)).rejects.toThrow('models of family chronos-t5 are not trained');
  });
});
