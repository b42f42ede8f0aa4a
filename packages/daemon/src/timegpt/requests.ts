/** Bodies of the TimeGPT API; members that are not known are ignored, as its clients expect. */
import { LIMITS } from '@tollama/core/limits';
import { ModelReference } from '@tollama/core/model-reference';
import { z } from 'zod';
import { SeriesBlock } from './panel.ts';

const Level = z.number().min(0).lt(100);
const Levels = z.union([z.array(Level), Level.transform((level) => [level])]);

/** One number for the intervals of anomalies; a list's first. */
const AnomalyLevel = z
  .union([z.array(Level).min(1), Level])
  .transform((level) => (typeof level === 'number' ? level : level[0]!));

const Horizon = z.int().positive().max(LIMITS.horizon);

const FINE_TUNING = {
  finetune_steps: z.int().min(0).nullish(),
  finetune_depth: z.int().min(1).max(5).nullish(),
  finetune_loss: z.enum(['default', 'mae', 'mse', 'rmse', 'mape', 'smape', 'poisson']).nullish(),
  finetuned_model_id: z.string().nullish(),
};

export const DEFAULT_TIMEGPT_MODEL = 'timegpt-1';

const COMMON = {
  series: SeriesBlock,
  model: ModelReference.default(DEFAULT_TIMEGPT_MODEL),
  freq: z.string().default('D'),
  clean_ex_first: z.boolean().nullish(),
  multivariate: z.boolean().nullish(),
  model_parameters: z.record(z.string(), z.unknown()).nullish(),
  ...FINE_TUNING,
};

export const CONTRIBUTIONS = ['shapley', 'intervention', 'granger', 'transfer_entropy'] as const;
export type ContributionKind = (typeof CONTRIBUTIONS)[number];

const CONTRIBUTION_FIELDS = {
  feature_contributions: z.boolean().nullish(),
  feature_contributions_type: z.enum(CONTRIBUTIONS).nullish(),
};

export const ForecastBody = z.object({
  ...COMMON,
  ...CONTRIBUTION_FIELDS,
  h: Horizon,
  level: Levels.nullish(),
});
export type ForecastBody = z.infer<typeof ForecastBody>;

const HistoricRows = z.array(z.int().min(0)).nullish();

export const CrossValidationBody = z.object({
  ...COMMON,
  ...CONTRIBUTION_FIELDS,
  h: Horizon,
  level: Levels.nullish(),
  n_windows: z.int().positive().default(1),
  step_size: z.int().positive().nullish(),
  hist_exog: HistoricRows,
  refit: z.boolean().nullish(),
  full_history: z.boolean().nullish(),
});
export type CrossValidationBody = z.infer<typeof CrossValidationBody>;

export const AnomalyBody = z.object({
  ...COMMON,
  level: AnomalyLevel.nullish(),
  hist_exog: HistoricRows,
});
export type AnomalyBody = z.infer<typeof AnomalyBody>;

export const OnlineAnomalyBody = z.object({
  ...COMMON,
  h: Horizon,
  detection_size: z.int().positive(),
  threshold_method: z.enum(['univariate', 'multivariate']).default('univariate'),
  level: AnomalyLevel.nullish(),
  step_size: z.int().positive().nullish(),
  hist_exog: HistoricRows,
  refit: z.boolean().nullish(),
});
export type OnlineAnomalyBody = z.infer<typeof OnlineAnomalyBody>;

/** Ids of fine-tuned models. */
export const TunedId = z.string().regex(/^[A-Za-z0-9_-]{1,36}$/, {
  error: 'must be 1 to 36 letters, digits, "_" or "-"',
});

export const FinetuneBody = z.object({
  ...COMMON,
  finetune_steps: z.int().positive().default(10),
  output_model_id: TunedId.nullish(),
});
export type FinetuneBody = z.infer<typeof FinetuneBody>;

const MOST_PATHS = 10_000;
export const MOST_SIMULATED = 10_000_000;

export const SimulateBody = z.object({
  ...COMMON,
  h: Horizon,
  n_paths: z.int().positive().max(MOST_PATHS).default(100),
  quantiles: z
    .array(z.number().gt(0).lt(1))
    .min(2)
    .max(200)
    .refine((levels) => levels.every((level, i) => i === 0 || level > levels[i - 1]!), {
      error: 'quantiles must ascend',
    })
    .nullish(),
  seed: z.number().nullish(),
});
export type SimulateBody = z.infer<typeof SimulateBody>;

export const ExplainBody = z.object({
  series: SeriesBlock,
  method: z.enum(['granger', 'transfer_entropy']).default('granger'),
});
export type ExplainBody = z.infer<typeof ExplainBody>;

/** What every job may carry beside its task's body. */
export const JobFields = z.object({
  job_options: z.object({ timeout_seconds: z.number().positive().nullish() }).nullish(),
});
