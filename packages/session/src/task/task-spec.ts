/** What is asked of a session: horizon, columns, levels, which models, how they are chosen. */
import { parseFrequency } from '@tollama/core/frequency';
import { LIMITS } from '@tollama/core/limits';
import { z } from 'zod';
import { TSAgentKitError } from '../errors/session-error.ts';

export const SELECTION_METRICS = ['smape', 'mae', 'rmse', 'wape', 'mase', 'pinball'] as const;
export type SelectionMetric = (typeof SELECTION_METRICS)[number];

const Level = z.number().gt(0).lt(100);
const Quantile = z.number().gt(0).lt(1);

const PanelColumns = z.strictObject({
  unique_id: z.string().min(1).default('unique_id'),
  ds: z.string().min(1).default('ds'),
  y: z.string().min(1).default('y'),
  /** What to do with rows of the same id and time. */
  aggregation: z.enum(['reject', 'sum', 'mean', 'median', 'last']).default('reject'),
});

const TsfmPolicy = z
  .strictObject({
    mode: z.enum(['required', 'preferred', 'disabled']).default('preferred'),
    /** In the order of preference; the pool's own order when absent. */
    adapters: z.array(z.string().min(1)).nullable().default(null),
    allow_non_tsfm_fallback: z.boolean().optional(),
  })
  .transform((policy) => ({
    ...policy,
    allow_non_tsfm_fallback: policy.allow_non_tsfm_fallback ?? policy.mode !== 'required',
  }));

const isFrequency = (text: string): boolean => {
  try {
    parseFrequency(text);
    return true;
  } catch {
    return false;
  }
};

export const TaskSpec = z.strictObject({
  h: z.int().positive().max(LIMITS.horizon),
  freq: z
    .string()
    .refine(isFrequency, {
      error: 'no known frequency; use a pandas alias such as D, h, 15min, MS',
    })
    .nullable()
    .default(null),
  infer_freq: z.boolean().default(true),
  panel: PanelColumns.prefault({}),
  forecast: z
    .strictObject({
      levels: z.array(Level).default([80, 95]),
      quantiles: z.array(Quantile).default([0.1, 0.5, 0.9]),
    })
    .prefault({}),
  covariate_policy: z.enum(['ignore', 'known', 'observed', 'auto', 'spec']).default('auto'),
  /** The columns of covariate_policy spec. */
  covariates: z
    .strictObject({
      static: z.array(z.string()).default([]),
      past: z.array(z.string()).default([]),
      future_known: z.array(z.string()).default([]),
    })
    .prefault({}),
  tsfm_policy: TsfmPolicy.prefault({}),
  backtest: z
    .strictObject({
      n_windows: z.int().positive().default(5),
      step: z.int().positive().nullable().default(null),
      min_train_size: z.int().positive().default(56),
      selection_metric: z.enum(SELECTION_METRICS).default('smape'),
    })
    .prefault({}),
});
export type TaskSpec = z.infer<typeof TaskSpec>;
export type TaskSpecInput = Readonly<Record<string, unknown>>;

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Two levels deep: sections are merged, fields replaced. */
export const mergeSpecs = (defaults: TaskSpecInput, own: TaskSpecInput): Fields => {
  const merged: Fields = { ...defaults };
  for (const [key, value] of Object.entries(own)) {
    const known = merged[key];
    merged[key] = isObject(value) && isObject(known) ? { ...known, ...value } : value;
  }
  return merged;
};

/** Where short names belong; the full name wins where both are given. */
const ALIASES: Readonly<Record<string, (value: unknown) => Fields>> = {
  horizon: (value) => ({ h: value }),
  rolling_step: (value) => ({ backtest: { step: value } }),
  quantiles: (value) => ({ forecast: { quantiles: value } }),
  levels: (value) => ({ forecast: { levels: value } }),
  tsfm: (value) => ({ tsfm_policy: value }),
  require_tsfm: (value) => ({ tsfm_policy: { mode: value ? 'required' : 'preferred' } }),
  tsfm_preference: (value) => ({ tsfm_policy: { adapters: value } }),
};

const withoutAliases = (spec: TaskSpecInput): Fields => {
  let plain: Fields = {};
  const rest: Fields = {};
  for (const [key, value] of Object.entries(spec)) {
    const alias = Object.hasOwn(ALIASES, key) ? ALIASES[key] : undefined;
    if (alias) plain = mergeSpecs(plain, alias(value));
    else rest[key] = value;
  }
  return mergeSpecs(plain, rest);
};

/**
 * Parses a task spec over the session's defaults.
 *
 * @throws TSAgentKitError E_TASK_SPEC_INVALID that names the field
 * @example
 * parseTaskSpec({ horizon: 24 }).h; // 24
 */
export const parseTaskSpec = (spec: TaskSpecInput, defaults: TaskSpecInput = {}): TaskSpec => {
  const parsed = TaskSpec.safeParse(mergeSpecs(withoutAliases(defaults), withoutAliases(spec)));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue!.path.join('.') || 'task_spec';
  throw new TSAgentKitError('E_TASK_SPEC_INVALID', `${field}: ${issue!.message}`, {
    context: { issues: parsed.error.issues.map(({ path, message }) => ({ path, message })) },
    fixHint: 'correct the task spec; unknown keys are refused',
  });
};

/** Specs for a start: little evaluation, or all of it with a foundation model required. */
export const TASK_SPEC_PRESETS = {
  starter: { tsfm_policy: { mode: 'preferred' }, backtest: { n_windows: 2 } },
  production: { tsfm_policy: { mode: 'required' }, backtest: { n_windows: 5 } },
} as const satisfies Readonly<Record<string, TaskSpecInput>>;

/** Ascending quantiles that the levels and quantiles of a spec need together. */
export const neededQuantiles = ({ forecast: { levels, quantiles } }: TaskSpec): number[] => {
  const sides = levels.flatMap((level) => intervalSides(level));
  return [...new Set([...quantiles, ...sides])].sort((a, b) => a - b);
};

const clean = (value: number): number => Number(value.toPrecision(12));

/** Lower and upper quantile of a central interval in percent: 80 -> 0.1 and 0.9. */
export const intervalSides = (level: number): [lower: number, upper: number] => {
  const tail = (100 - level) / 200;
  return [clean(tail), clean(1 - tail)];
};
