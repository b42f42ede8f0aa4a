/** Every published family that is trained: what is trained is what is served, and training makes it better. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { JOB_SCHEMA, JobConfig, JobOptions, TRAINED_FAMILIES } from '@tollama/core/training-job';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { openModel } from '@tollama/models';
import { NANO_FOLDER } from '@tollama/models/in-the-box';
import { expect, test } from 'vitest';
import { openTrainingStep } from '../step/open-training-step.ts';
import { lossFeeds } from './forecast-loss.ts';
import { runJob } from './run-job.ts';
import { openModelParts, trainableModel, trainedFamilies } from './trainable.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');
const folderOf = (name: string): string =>
  name === 'tollama-nano' ? NANO_FOLDER : join(ROOT, 'golden', name);

interface Case {
  /** Options of a forecast that does what training does. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Whether a forecast sorts what crosses. */
  readonly isSorted?: boolean;
  /** Whether the mean of a forecast is not its median. */
  readonly isMedian?: boolean;
}

/** Checkpoints by their folder: of random weights, and the one in the box. */
const CASES: Readonly<Record<string, Case>> = {
  'tollama-nano': { isSorted: true, isMedian: true },
  'chronos-bolt/tiny-a': {},
  'chronos-2/tiny-a': {},
  'granite-ttm/r2-base': {},
  'granite-ttm/r3-plain': {},
  'granite-ttm/r3-dec': {},
  'timesfm/v25-tiny': { options: { force_flip_invariance: false, infer_is_positive: false } },
  'moirai2/tiny-1head': {},
  'toto2/tiny': { isSorted: true },
  'patchtst-fm/r1-like': { isMedian: true },
  'patchtst-fm/strided-conformer': { isMedian: true },
  'tirex/tiny': {},
  'flowstate/r1.0': { isSorted: true, options: { prediction_type: 'median' } },
  'flowstate/r1.1': { isSorted: true, options: { prediction_type: 'median' } },
};

const wave = (t: number): number => 3 + Math.sin((2 * Math.PI * t) / 12) + 0.05 * Math.sin(t * 1.7);
const HORIZON = 6;

const medianOf = (fan: Float32Array, levels: readonly number[], isSorted: boolean): number[] => {
  const steps = fan.length / levels.length;
  const middle = levels.indexOf(0.5);
  return Array.from({ length: HORIZON }, (_, h) => {
    const values = Float32Array.from(levels, (_, q) => fan[q * steps + h]!);
    return (isSorted ? values.sort() : values)[middle]!;
  });
};

/** Medians as training sees them. */
const trainedMedians = async (folder: string, series: Float32Array, isSorted: boolean) => {
  const parts = await openModelParts(folder, { horizon: HORIZON });
  const { training, checkpoint } = parts;
  const model = await trainableModel(parts, JobOptions.parse({ adapter: 'head' }));
  await using step = await openTrainingStep({
    ...model,
    checkpoint,
    optimizer: { kind: 'sgd' },
    threads: 1,
  });
  const context = Math.min(training.contextLength, 96);
  const contexts = new Float32Array(context).fill(Number.NaN);
  const kept = series.subarray(Math.max(0, series.length - context));
  contexts.set(kept, context - kept.length);
  const labels = new Float32Array(HORIZON).fill(4);
  const batch = { contexts, labels, size: 1, context, horizon: HORIZON };
  const { outputs } = await step.evaluate(lossFeeds(batch, training));
  const fan = outputs.quantiles!.data as Float32Array;
  return { kept, medians: medianOf(fan, training.levels, isSorted) };
};

test.each(Object.entries(CASES))('%s: what is trained is what is served', async (name, one) => {
  const { options = {}, isSorted = false } = one;
  const series = Float32Array.from({ length: 96 }, (_, t) => (t === 70 ? Number.NaN : wave(t)));
  const { kept, medians } = await trainedMedians(folderOf(name), series, isSorted);
  await using model = await openModel(folderOf(name), { threads: 1 });
  const { forecasts } = await model.forecast({
    series: [{ id: 'a', targets: [kept] }],
    horizon: HORIZON,
    quantiles: one.isMedian ? [0.5] : [],
    options,
  });
  const [target] = forecasts[0]!.targets;
  const served = Array.from(one.isMedian ? target!.quantiles[0]! : target!.mean);
  served.forEach((value, h) => {
    expect(value).toBeCloseTo(medians[h]!, 3);
  });
});

const SERIES = [0, 5].map((shift) => ({
  id: String(shift),
  freq: null,
  values: Array.from({ length: 300 }, (_, t) => (t === 17 ? null : wave(t + shift))),
}));

test.each(Object.keys(CASES))('%s learns with LoRA, and its adapter is served', async (name) => {
  await withFolder(async (folder) => {
    const options = { steps: 15, epochs: 1, batch_size: 8, threads: 1, horizon: HORIZON };
    const base = { model: 'tiny', revision: 'r1', folder: folderOf(name) };
    const trained = { ...options, context: 48, learning_rate: 0.01, validation_windows: 2 };
    const job = { schema: JOB_SCHEMA, id: 'job', name: 'tiny:test', base, options: trained };
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'job.json'), JSON.stringify(JobConfig.parse(job)));
    await writeFile(join(folder, 'series.json'), JSON.stringify(SERIES));
    const result = await runJob(folder);
    expect(result).toMatchObject({ end: 'finished', output: { kind: 'adapter' } });
    expect(result.after!.loss).toBeLessThan(0.97 * result.before!.loss!);
    const forecast = async (adapter?: string) => {
      await using model = await openModel(folderOf(name), { threads: 1, adapter });
      const values = Float32Array.from(SERIES[0]!.values, (value) => value ?? Number.NaN);
      const series = [{ id: 'a', targets: [values] }];
      const { forecasts } = await model.forecast({
        series,
        horizon: HORIZON,
        quantiles: [],
        options: {},
      });
      return Array.from(forecasts[0]!.targets[0]!.mean);
    };
    const served = await forecast(result.output!.folder);
    expect(served.every(Number.isFinite)).toBe(true);
    expect(served).not.toEqual(await forecast());
  });
});

test('there is a case for every published family', () => {
  const own = ['nhits', 'nbeatsx', 'tide', 'patchtst'];
  const published = trainedFamilies().filter((name) => !own.includes(name));
  const tried = new Set(Object.keys(CASES).map((name) => name.split('/')[0]!));
  expect([...tried].toSorted()).toEqual(published.toSorted());
  expect(published.toSorted()).toEqual([...TRAINED_FAMILIES]);
});
