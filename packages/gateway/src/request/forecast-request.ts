/** The body of POST /tsfm/forecast (contract, section 2): types and shapes; what they mean is checked later. */
import { z } from 'zod';
import { parseTimestamp, type Timestamp } from './timestamp.ts';

type Refinement = z.RefinementCtx;

const issue = (context: Refinement, message: string, path: (string | number)[] = []): void => {
  context.addIssue({ code: 'custom', message, path });
};

/** Lists of numbers are long: one loop instead of a schema for each element. Infinity passes (JSON's 1e999). */
const NumberList = z.custom<readonly number[]>().superRefine((value: unknown, context) => {
  if (!Array.isArray(value)) return issue(context, 'Input should be a valid list');
  for (let i = 0; i < value.length; i++) {
    if (typeof value[i] !== 'number') {
      return issue(context, 'Input should be a valid number', [i]);
    }
  }
});

const Covariates = z.record(z.string(), NumberList).default({});

const NOT_A_TIME = 'Input should be a valid datetime';

const Time = z.unknown().transform((value, context): Timestamp => {
  const time = parseTimestamp(value);
  if (time) return time;
  issue(context, NOT_A_TIME);
  return z.NEVER;
});

const TimeList = z.array(z.unknown()).transform((values, context): readonly Timestamp[] =>
  values.map((value, i) => {
    const time = parseTimestamp(value);
    if (time) return time;
    issue(context, NOT_A_TIME, [i]);
    return z.NEVER;
  }),
);

const Text = z.string().nullish();

/** What a request that leaves them out means. */
export interface RequestDefaults {
  readonly freq: string;
  readonly horizon_steps: number;
  readonly quantiles: readonly number[];
  readonly transform: { readonly space: string; readonly eps: number };
}

const CONTRACT_DEFAULTS: RequestDefaults = {
  freq: '5m',
  horizon_steps: 12,
  quantiles: [0.1, 0.5, 0.9],
  transform: { space: 'logit', eps: 1e-6 },
};

export const forecastRequest = ({ freq, horizon_steps, quantiles, transform }: RequestDefaults) =>
  z.object({
    market_id: z.string(),
    as_of_ts: Time,
    freq: z.string().default(freq),
    horizon_steps: z.int().default(horizon_steps),
    quantiles: NumberList.default(quantiles),
    y: NumberList,
    y_ts: TimeList.nullish(),
    observed_ts: Time.nullish(),
    max_gap_minutes: z.int().min(0).nullish(),
    x_past: Covariates,
    x_future: Covariates,
    transform: z
      .object({
        space: z.string().default(transform.space),
        eps: z.number().default(transform.eps),
      })
      .prefault({}),
    model: z
      .object({
        provider: z.string().default('tollama'),
        model_name: z.string().default('chronos'),
        model_version: Text,
        params: z.record(z.string(), z.unknown()).default({}),
      })
      .prefault({}),
    category: Text,
    liquidity_bucket: Text,
    tte_bucket: Text,
    rollout_stage: Text,
  });

/** A request by the contract's defaults. */
export const ForecastRequest = forecastRequest(CONTRACT_DEFAULTS);
export type ForecastRequest = z.infer<typeof ForecastRequest>;
