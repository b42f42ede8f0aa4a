/** What the TimeGPT API answers. Columns of all series one after the other; `sizes` cuts them. */
import { z } from 'zod';

const Numbers = z.array(z.number());

const TOKENS = {
  input_tokens: z.int().describe('numbers that were read'),
  output_tokens: z.int().describe('numbers that were written'),
  finetune_tokens: z.int(),
} as const;

/** `lo-80`, `hi-80` and so on; null without levels. */
const Intervals = z.record(z.string(), Numbers).nullable();

/** A column for each exogenous row, and one for what they do not explain. */
const Contributions = z.array(Numbers);

const PLACES = {
  sizes: z.array(z.int()).describe('points of each series'),
  idxs: z.array(z.int()).describe('places in the column of the request'),
} as const;

export const TimegptForecast = z.object({
  mean: Numbers,
  intervals: Intervals,
  weights_x: Numbers.nullable(),
  feature_contributions: Contributions.nullable(),
  ...TOKENS,
});

export const TimegptCrossValidation = z.object({
  mean: Numbers,
  ...PLACES,
  intervals: Intervals,
  feature_contributions: Contributions.optional(),
  ...TOKENS,
});

export const TimegptAnomalies = z.object({
  mean: Numbers,
  ...PLACES,
  intervals: z.record(z.string(), Numbers),
  anomaly: z.array(z.boolean()),
  weights_x: z.null(),
  ...TOKENS,
});

export const TimegptOnlineAnomalies = z.object({
  mean: Numbers,
  ...PLACES,
  anomaly: z.array(z.boolean()),
  anomaly_score: Numbers,
  accumulated_anomaly_score: Numbers.nullable().describe('of the multivariate threshold'),
  intervals: Intervals,
  ...TOKENS,
});

export const TimegptFinetuned = z.object({ finetuned_model_id: z.string(), ...TOKENS });

export const TimegptSimulation = z.object({
  samples: Numbers.describe('path by path, in each the series one after the other'),
  sizes: z.array(z.int()),
  n_paths: z.int(),
  h: z.int(),
  coupled: z.boolean(),
  ...TOKENS,
});

export const TimegptDetail = z.object({ detail: z.string() });

const Used = z.object({ used: z.int(), limit: z.int().describe('0: none') });

export const TimegptUsage = z.object({ minute: Used, month: Used });

export const TimegptModelParams = z.object({
  detail: z.object({ input_size: z.int(), horizon: z.int() }),
});

export const TimegptModels = z.object({
  models: z.array(
    z.union([
      z.object({ name: z.string(), family: z.string() }),
      z.object({ name: z.string(), alias_of: z.string() }),
    ]),
  ),
});

export const TimegptTunedModel = z.object({
  id: z.string(),
  created_at: z.string(),
  created_by: z.string(),
  base_model_id: z.string(),
  steps: z.int(),
  depth: z.int(),
  loss: z.string(),
  model: z.string(),
  freq: z.string(),
});

export const TimegptTunedModels = z.object({ finetuned_models: z.array(TimegptTunedModel) });

export const TimegptJobStarted = z.object({ job_id: z.string(), status: z.literal('pending') });

/** The answer of `explain`: how much each exogenous row tells of the series; shares of one. */
export const TimegptExplanation = z.object({ weights: Numbers, method: z.string() });

/** What a task's job has in the end. */
const Result = z
  .union([
    TimegptForecast,
    TimegptCrossValidation,
    TimegptOnlineAnomalies,
    TimegptFinetuned,
    TimegptSimulation,
    TimegptExplanation,
  ])
  .nullable();

export const TimegptJob = z.object({
  job_id: z.string(),
  status: z.enum(['pending', 'running', 'succeeded', 'failed', 'cancelled']),
  result: Result,
  error: z.looseObject({ status_code: z.int(), detail: z.unknown() }).nullable(),
});

export const TimegptJobCancelled = z.object({
  job_id: z.string(),
  status: z.literal('cancelled'),
});
