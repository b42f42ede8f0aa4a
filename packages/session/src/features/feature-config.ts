/** Which features a run makes of its own data. */
import { z } from 'zod';
import { TSAgentKitError } from '../errors/session-error.ts';

export const CALENDAR_FEATURES = [
  'hour',
  'day_of_week',
  'day_of_month',
  'day_of_year',
  'month',
  'quarter',
  'is_weekend',
] as const;
export type CalendarFeature = (typeof CALENDAR_FEATURES)[number];

export const ROLLING_STATISTICS = ['mean', 'std', 'min', 'max'] as const;
export type RollingStatistic = (typeof ROLLING_STATISTICS)[number];

const FeatureConfig = z.strictObject({
  /** Of the timestamps, known over the horizon. */
  calendar_features: z.array(z.enum(CALENDAR_FEATURES)).default([]),
  /** Sines and cosines of a period in steps, known over the horizon. */
  fourier: z
    .array(z.strictObject({ period: z.number().gt(1), order: z.int().min(1).max(20) }))
    .default([]),
  /** The target so many steps ago; known over the horizon where it is no shorter than that. */
  lags: z.array(z.int().min(1)).default([]),
  /** Over the last `window` points before each: observed only. */
  rolling: z
    .array(
      z.strictObject({
        window: z.int().min(2),
        statistics: z.array(z.enum(ROLLING_STATISTICS)).min(1).default(['mean']),
      }),
    )
    .default([]),
});
export type FeatureConfig = z.infer<typeof FeatureConfig>;
export type FeatureConfigInput = z.input<typeof FeatureConfig>;

/** @throws TSAgentKitError E_TASK_SPEC_INVALID that names the field */
export const parseFeatureConfig = (input: FeatureConfigInput): FeatureConfig => {
  const parsed = FeatureConfig.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = ['featureConfig', ...issue!.path].join('.');
  throw new TSAgentKitError('E_TASK_SPEC_INVALID', `${field}: ${issue!.message}`, {
    context: { field },
    fixHint: 'correct the field, or leave it out',
  });
};
