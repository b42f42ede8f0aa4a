/** A job from its folder to its result: opens the model, trains, keeps the best, writes what came out. */
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { TollamaError } from '@tollama/core/errors';
import type {
  FoundSettings,
  JobConfig,
  JobOptions,
  JobResult,
  JobSeries,
} from '@tollama/core/training-job';
import type { TensorValue } from '@tollama/graph';
import { NANO_FOLDER } from '@tollama/models/in-the-box';
import { CheckpointThread } from '../checkpoint/checkpoint-thread.ts';
import { systemClock } from '../clock/clock.ts';
import { METRICS } from '../contracts/metrics.ts';
import { WindowSampler } from '../data/sampler.ts';
import { cutWindows, type WindowPlan } from '../data/windows.ts';
import { FrozenGuard } from '../kasmina/frozen-guard.ts';
import { ShardPool } from '../parallel/shard-pool.ts';
import { openTrainingStep } from '../step/open-training-step.ts';
import type { TrainingStep } from '../step/training-step.ts';
import { EventLog } from '../telemetry/event-log.ts';
import { prometheusText } from '../telemetry/prometheus.ts';
import { type Listener, Telemetry } from '../telemetry/telemetry.ts';
import { Trainer } from '../trainer/trainer.ts';
import {
  type BatchSource,
  TRAINER_DEFAULTS,
  type TrainerOptions,
  type Validation,
} from '../trainer/trainer-options.ts';
import { parseRecord } from '../trainer/training-record.ts';
import { type ExportParts, exportModel, writeResult } from './export-model.ts';
import { findSettings, withFound } from './find-settings.ts';
import { lossFeeds } from './forecast-loss.ts';
import { seasonOf } from './frequency-season.ts';
import { type JobPaths, jobPaths, readJobConfig, readJobSeries } from './job-folder.ts';
import { stepOptions, wishOf, writeStart } from './open-model.ts';
import { prepareData } from './prepare-data.ts';
import { learningRateOf, scheduleOf } from './schedule-of.ts';
import {
  type ModelParts,
  openModelParts,
  type TrainableModel,
  trainableModel,
} from './trainable.ts';
import { createValidation } from './validate.ts';

export interface RunJobOptions {
  /** Ends the training after the step under way; the job can go on later. */
  readonly signal?: AbortSignal | undefined;
  /** Hears every event. */
  readonly onEvent?: Listener | undefined;
}

const exported = async (parts: ExportParts): Promise<JobResult['output']> => {
  const output = await exportModel(parts);
  return parts.job.base?.folder === null ? { ...output, base_folder: NANO_FOLDER } : output;
};

const batchesOf = (
  plan: WindowPlan,
  { training }: ModelParts,
  { batch_size, accumulate, seed }: JobOptions,
): BatchSource => {
  const sampler = new WindowSampler(plan, seed);
  return {
    next: () =>
      Array.from({ length: accumulate }, () =>
        lossFeeds(cutWindows(plan, sampler.draw(batch_size)), training),
      ),
    state: () => sampler.state(),
    load: (state) => sampler.load(state),
  };
};

/** All that determines a training; threads and what is kept on disk do not. */
const hashOf = async (job: JobConfig, paths: JobPaths): Promise<string> => {
  const { threads: _, workers: __, keep: ___, checkpoint_every: ____, ...options } = job.options;
  const hash = createHash('sha256');
  hash.update(JSON.stringify([options, job.base?.revision, job.architecture ?? null]));
  hash.update(await readFile(paths.series));
  return hash.digest('hex');
};

const trainerOptions = async (job: JobConfig, paths: JobPaths): Promise<TrainerOptions> => {
  const { options, base } = job;
  const stepsPerEpoch = Math.max(1, Math.round(options.steps / options.epochs));
  const epochs = Math.max(1, Math.ceil(options.steps / stepsPerEpoch));
  const learningRate = learningRateOf(options, base === null);
  return {
    ...TRAINER_DEFAULTS,
    folder: paths.checkpoints,
    schedule: scheduleOf(options, epochs * stepsPerEpoch, learningRate),
    learningRate,
    epochs,
    stepsPerEpoch,
    averageDecay: options.ema ?? undefined,
    patience: options.patience ?? undefined,
    checkpointEvery: options.checkpoint_every ?? undefined,
    retention: { last: options.keep },
    rollback: { ...TRAINER_DEFAULTS.rollback, deadlineMs: options.rollback_deadline_ms },
    progressEvery: Math.max(1, Math.round(stepsPerEpoch / 10)),
    configHash: await hashOf(job, paths),
    base: base && { model: base.model, revision: base.revision },
  };
};

const seasonOfData = (data: JobSeries): number => seasonOf(data[0]?.freq ?? null);

const numbers = (validation: Validation | undefined): JobResult['after'] =>
  validation ? { ...validation } : null;

interface OpenJob {
  readonly job: JobConfig;
  readonly paths: JobPaths;
  readonly parts: ModelParts;
  readonly model: TrainableModel;
  readonly step: TrainingStep;
  readonly telemetry: Telemetry;
  readonly thread: CheckpointThread;
  readonly data: JobSeries;
  readonly plan: WindowPlan;
}

/** The values that are kept: of the best validation, the moving average where there is one. */
const bestValues = async (
  trainer: Trainer,
  options: TrainerOptions,
): Promise<ReadonlyMap<string, TensorValue>> => {
  const parse = (text: string | undefined) =>
    parseRecord(text, { config_hash: options.configHash, base: options.base });
  const best = await trainer.checkpoints.read('best', parse);
  const state = best ?? (await trainer.checkpoints.read('latest', parse))!;
  return state.average ?? state.parameters;
};

const train = async (open: OpenJob, signal: AbortSignal | undefined): Promise<JobResult> => {
  const { job, paths, parts, model, step, telemetry, thread, data, plan } = open;
  const { training, checkpoint } = parts;
  const options = await trainerOptions(job, paths);
  const { batch_size: batchSize } = job.options;
  const validate = createValidation({ plan, training, batchSize, season: seasonOfData(data) });
  const batches = batchesOf(plan, parts, job.options);
  const before = await validate?.(step);
  telemetry.emit('training.data', 'info', {
    series: data.length,
    windows: plan.count,
    validation_windows: plan.validation.length,
    trained_parameters: countOf(model),
    ...(before && {
      loss_before: before.loss,
      mase_before: before.mase ?? null,
      crps_before: before.crps ?? null,
    }),
  });
  const names = [...checkpoint.tensors.keys()].filter((name) => !model.trainable.has(name));
  const frozen = new FrozenGuard(checkpoint, names);
  const trainer = new Trainer(
    { step, batches, telemetry, thread, validate, clock: systemClock, frozen },
    options,
  );
  await trainer.open();
  const outcome = await trainer.run(signal);
  const isDone = outcome.end === 'finished' || outcome.end === 'early_stopped';
  const values = isDone ? await bestValues(trainer, options) : undefined;
  if (values) step.load({ ...step.state(), parameters: values });
  return {
    ...outcome,
    before: numbers(before),
    after: values ? numbers(await validate?.(step)) : null,
    trained_parameters: countOf(model),
    output: values ? await exported({ job, paths, model, checkpoint, values }) : null,
    error: null,
  };
};

/**
 * Processes that share the micro-batches of a step, each with its part of the job's threads.
 *
 * @throws TollamaError INVALID_REQUEST for more of them than micro-batches
 */
const openShards = (
  job: JobConfig,
  data: JobSeries,
  { folder }: JobPaths,
  { model, telemetry }: Pick<OpenJob, 'model' | 'telemetry'>,
): ShardPool | undefined => {
  const { workers = 1, accumulate, threads } = job.options;
  if (workers === 1) return undefined;
  if (workers > accumulate) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `workers ${workers} share the accumulate ${accumulate} batches of a step`,
      { hint: `train with --accumulate ${workers} or more` },
    );
  }
  const own = Math.max(1, Math.floor(threads / workers));
  return new ShardPool({
    count: workers,
    program: fileURLToPath(new URL('./shard-worker.ts', import.meta.url)),
    arguments: [folder, JSON.stringify(wishOf(job, data)), String(own)],
    shapes: new Map([...model.trainable].map(([name, { dims }]) => [name, dims])),
    report: telemetry.report,
  });
};

const findFor = (
  { job, paths, parts, model, step, telemetry, plan }: OpenJob,
  signal: AbortSignal | undefined,
): Promise<FoundSettings | undefined> => {
  const graphs = stepOptions(model, parts, job.options);
  return findSettings({
    options: job.options,
    step,
    graphs: { ...graphs, trainable: [...model.trainable.keys()] },
    batches: (options) => batchesOf(plan, parts, options),
    windows: plan.count,
    telemetry,
    path: paths.found,
    signal,
  });
};

/** Trains with what was found; a job that was stopped while it looked has not begun. */
const trainWith = async (
  open: OpenJob,
  found: FoundSettings | undefined,
  signal: AbortSignal | undefined,
): Promise<JobResult> => {
  const { job, model } = open;
  const { find_learning_rate, find_batch_size } = job.options;
  if (!found && (find_learning_rate || find_batch_size)) {
    return {
      ...{ end: 'stopped', step: 0, epoch: 0, best: null, before: null, after: null },
      trained_parameters: countOf(model),
      output: null,
      error: null,
    };
  }
  const result = await train(
    { ...open, job: { ...job, options: withFound(job.options, found) } },
    signal,
  );
  return found ? { ...result, found } : result;
};

const countOf = ({ trainable }: TrainableModel): number =>
  [...trainable.values()].reduce((sum, { data }) => sum + data.length, 0);

/**
 * Runs the job of a folder, or goes on with it.
 *
 * @returns what is in result.json as well
 * @throws TollamaError for a job that cannot be opened: INVALID_INPUT, MODEL_UNSUPPORTED, CHECKPOINT_INVALID
 */
export const runJob = async (
  folder: string,
  { signal, onEvent }: RunJobOptions = {},
): Promise<JobResult> => {
  const paths = jobPaths(folder);
  const job = await readJobConfig(folder);
  const data = await readJobSeries(folder);
  await rm(paths.result, { force: true });
  await using log = await EventLog.open(paths.events);
  const telemetry = new Telemetry({
    runId: job.id,
    lastSeq: log.lastSeq,
    now: systemClock.now,
    wall: () => new Date(),
  });
  telemetry.listen((event) => log.append(event));
  if (onEvent) telemetry.listen(onEvent);
  const parts = await openModelParts(await writeStart(job, paths), wishOf(job, data));
  const plan = prepareData(data, parts.training, job.options);
  const model = await trainableModel(parts, job.options);
  const building = performance.now();
  await using shards = openShards(job, data, paths, { model, telemetry });
  await using step = await openTrainingStep({
    ...stepOptions(model, parts, job.options),
    shards,
  });
  telemetry.metrics.observe(METRICS.graphBuild, performance.now() - building);
  await using thread = new CheckpointThread();
  const open = { job, paths, parts, model, step, telemetry, thread, data, plan };
  const found = await findFor(open, signal);
  const result = await trainWith(open, found, signal);
  await writeFile(paths.metrics, prometheusText(telemetry.metrics));
  await writeResult(paths.result, result);
  return result;
};
