/** What a training job is told: job.json of its folder, checked once. */
import { z } from 'zod';
import { ScheduleSpec } from '../schedule/schedule.ts';

export const ADAPTER_KINDS = ['lora', 'bottleneck', 'head', 'full'] as const;
export type AdapterKind = (typeof ADAPTER_KINDS)[number];

const Count = z.int().positive();

/** What a user may set; a default that depends on the data or the model is found when the job starts. */
export const JobOptions = z.strictObject({
  adapter: z.enum(ADAPTER_KINDS).default('lora'),
  /** Steps of a label; what one pass of the model gives when absent. */
  horizon: Count.nullish(),
  /** Points of a context; as many as the model reads when absent. */
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
  schedule: z
    .union([z.enum(['cosine', 'linear', 'constant', 'wsd']), ScheduleSpec])
    .default('cosine'),
  /** Share of the steps that warm up. */
  warmup: z.number().min(0).max(1).default(0.05),
  optimizer: z.enum(['adamw', 'sgd', 'muon']).default('adamw'),
  weight_decay: z.number().min(0).default(0.01),
  clip_norm: z.number().positive().nullish().default(1),
  rank: Count.max(1024).default(8),
  /** LoRA's alpha; twice the rank when absent. */
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
      folder: z.string().min(1),
      /** Folder of an adapter that the base has already. */
      adapter: z.string().nullish(),
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
  }),
);
export type JobSeries = z.infer<typeof JobSeries>;
