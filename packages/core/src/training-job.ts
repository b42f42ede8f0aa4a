/** Training jobs as the command line, the daemon and the training process speak of them. */
import { z } from 'zod';
import { IngestOptions } from './ingest-options.ts';
import { LIMITS } from './limits.ts';
import { ModelReference } from './model-reference.ts';
import { Series } from './series.ts';

export const ADAPTER_KINDS = ['lora', 'dora', 'bottleneck', 'head', 'full'] as const;
export type AdapterKind = (typeof ADAPTER_KINDS)[number];

/** Published families that can be trained, for those who do not load them. */
export const TRAINED_FAMILIES = [
  'chronos-2',
  'chronos-bolt',
  'flowstate',
  'granite-ttm',
  'moirai2',
  'patchtst-fm',
  'timesfm',
  'tirex',
  'tollama-nano',
  'toto2',
] as const;

/** What a point forecast may be trained for; `default` is what the family is trained for. */
export const TRAINING_LOSSES = [
  'default',
  'mae',
  'mse',
  'rmse',
  'mape',
  'smape',
  'poisson',
] as const;
export type TrainingLoss = (typeof TRAINING_LOSSES)[number];

const Count = z.int().positive();

/** What a user may set; a default that depends on the data or the model is found when the job starts. */
export const JobOptions = z.strictObject({
  adapter: z.enum(ADAPTER_KINDS).default('lora'),
  /** Steps of a label; what one pass of the model gives when absent. */
  horizon: Count.nullish(),
  /** Of the point forecast: other quantiles are trained for the pinball loss whatever it says. */
  loss: z.enum(TRAINING_LOSSES).default('default'),
  /** Points of a context; as many as the model reads, at most 2048, when absent. */
  context: Count.nullish(),
  /** Steps of the optimizer in all. */
  steps: Count.max(10_000_000).default(500),
  /** Validations, each after as many steps. */
  epochs: Count.max(100_000).default(10),
  /** Windows of a micro-batch. */
  batch_size: Count.max(65_536).default(32),
  /** Micro-batches of a step. */
  accumulate: Count.max(65_536).default(1),
  learning_rate: z.number().positive().nullish(),
  /** Whether a sweep before the training finds the highest learning rate. */
  find_learning_rate: z.boolean().optional(),
  /** Whether trials before the training find the windows of a micro-batch. */
  find_batch_size: z.boolean().optional(),
  /** Memory that a step may need in these trials; half of what is free when absent. */
  memory_mb: Count.nullish(),
  /** A short name, or a whole schedule with its kind and options. */
  schedule: z
    .union([
      z.enum(['cosine', 'linear', 'constant', 'wsd', 'one-cycle']),
      z.looseObject({ kind: z.string().min(1) }),
    ])
    .default('cosine'),
  /** Share of the steps that warm up. */
  warmup: z.number().min(0).max(1).default(0.05),
  optimizer: z.enum(['adamw', 'sgd', 'muon']).default('adamw'),
  weight_decay: z.number().min(0).default(0.01),
  clip_norm: z.number().positive().nullish().default(1),
  rank: Count.max(1024).default(8),
  /** Alpha of LoRA and DoRA; twice the rank when absent. */
  lora_alpha: z.number().positive().nullish(),
  use_rslora: z.boolean().default(false),
  /** Modules that get an adapter: ends of their names, a regular expression, or all-linear. */
  target_modules: z.union([z.array(z.string().min(1)).min(1), z.string().min(1)]).nullish(),
  /** Decay of the moving average whose weights are kept in the end. */
  ema: z.number().gt(0).lt(1).nullish(),
  /** Validations without progress that end the training. */
  patience: Count.nullish(),
  /** Labels at the end of each series that validate; a tenth of the shortest, 1 to 8, when absent. */
  validation_windows: z.int().min(0).max(1000).nullish(),
  seed: z.int().min(0).max(0xffffffff).default(1),
  threads: Count.max(256).default(2),
  /** Processes that share the micro-batches of a step (`accumulate`); the result is the same for any number. */
  workers: Count.max(64).optional(),
  /** Checkpoints that stay. */
  keep: Count.default(3),
  checkpoint_every: Count.nullish(),
  rollback_deadline_ms: z.number().positive().default(500),
});
export type JobOptions = z.infer<typeof JobOptions>;

export const JOB_SCHEMA = 1;

export const JobConfig = z.strictObject({
  schema: z.literal(JOB_SCHEMA),
  id: z.string().regex(/^[\w-]+$/),
  /** The model that comes out, as it will be called. */
  name: z.string().min(1),
  /** The model that is adapted; null for a training from scratch. */
  base: z
    .strictObject({
      model: z.string().min(1),
      revision: z.string(),
      /** null: its weights come with the program, and only the training knows where they lie. */
      folder: z.string().min(1).nullable(),
      /** Of a base that is an adapter itself: its folder. */
      adapter: z.string().min(1).optional(),
    })
    .nullable(),
  /** config.json of a model that is trained from random weights. */
  architecture: z.record(z.string(), z.unknown()).nullish(),
  options: JobOptions,
});
export type JobConfig = z.infer<typeof JobConfig>;

/** series.json: what is trained on. */
export const JobSeries = z.array(
  z.strictObject({
    id: z.string(),
    /** Pandas alias; null where it is not known. */
    freq: z.string().nullable(),
    /** null where missing */
    values: z.array(z.number().nullable()),
    /** By name, as long as the values; of models that read them, which of them are known ahead the model says. */
    past_covariates: z.record(z.string(), z.array(z.number())).optional(),
    static_covariates: z.record(z.string(), z.unknown()).optional(),
  }),
);
export type JobSeries = z.infer<typeof JobSeries>;

/** The body of POST /api/train: a base, or an architecture to train from scratch; series, or a table. */
export const TrainBody = z
  .strictObject({
    model: ModelReference.nullish(),
    /** config.json of a model that is trained from random weights. */
    architecture: z.record(z.string(), z.unknown()).nullish(),
    name: z.string().min(1),
    series: z.array(Series).min(1).max(LIMITS.series).nullish(),
    data_url: z.string().min(1).nullish(),
    ingest: IngestOptions.nullish(),
    options: JobOptions.prefault({}),
  })
  .refine(({ model, architecture }) => Boolean(model) !== Boolean(architecture), {
    error: 'give either model or architecture',
  })
  .refine(({ series, data_url }) => Boolean(series) !== Boolean(data_url), {
    error: 'give either series or data_url',
  });
export type TrainBody = z.infer<typeof TrainBody>;

export const JOB_STATUSES = [
  'queued',
  'running',
  'finished',
  'early_stopped',
  'stopped',
  'halted',
  'failed',
] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

const Measures = z.record(z.string(), z.number()).nullable();

/** found.json: what was looked for before the training. */
export const FoundSettings = z.strictObject({
  learning_rate: z.number().positive().nullable(),
  batch_size: Count.nullable(),
});
export type FoundSettings = z.infer<typeof FoundSettings>;

/** result.json: how a job ended, for whoever installs what it left. */
export const JobResult = z.object({
  end: z.enum(['finished', 'early_stopped', 'stopped', 'halted', 'failed']),
  step: z.int().min(0),
  epoch: z.int().min(0),
  best: z.object({ step: z.int().min(0), value: z.number() }).nullable(),
  /** Of the model as it was, and of what came out; null without validation. */
  before: Measures,
  after: Measures,
  trained_parameters: z.int().min(0),
  found: FoundSettings.optional(),
  output: z
    .object({
      kind: z.enum(['adapter', 'model']),
      folder: z.string(),
      /** Of an adapter whose base came with the program: where that lies. */
      base_folder: z.string().optional(),
    })
    .nullable(),
  error: z
    .object({ code: z.string(), message: z.string(), hint: z.string().optional() })
    .nullable(),
});
export type JobResult = z.infer<typeof JobResult>;

/** What the last events of a job told. */
export const JobProgress = z.object({
  step: z.number(),
  steps: z.number(),
  epoch: z.number(),
  epochs: z.number(),
  loss: z.number().nullable(),
  validation_loss: z.number().nullable(),
  learning_rate: z.number().nullable(),
  eta_s: z.number().nullable(),
});
export type JobProgress = z.infer<typeof JobProgress>;

/** A job as it is listed. Times are ISO-8601 UTC. */
export const JobState = z.object({
  id: z.string(),
  name: z.string(),
  /** The base; null for a training from scratch. */
  model: z.string().nullable(),
  adapter: z.string(),
  status: z.enum(JOB_STATUSES),
  created_at: z.string(),
  started_at: z.string().nullable(),
  ended_at: z.string().nullable(),
  progress: JobProgress.nullable(),
  result: JobResult.nullable(),
});
export type JobState = z.infer<typeof JobState>;

/** One line of events.jsonl. */
export const TrainingEventLine = z.object({
  seq: z.int(),
  at_ms: z.number(),
  wall: z.string(),
  run_id: z.string(),
  epoch: z.number(),
  step: z.number(),
  name: z.string(),
  level: z.enum(['debug', 'info', 'warning', 'critical']),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
export type TrainingEventLine = z.infer<typeof TrainingEventLine>;
