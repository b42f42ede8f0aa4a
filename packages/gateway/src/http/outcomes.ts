/** POST /tsfm/outcomes: what came true, posted back, so that forecasts are scored. */
import { z } from 'zod';
import type { Gateway } from '../gateway.ts';
import { parseTimestamp } from '../request/timestamp.ts';

const Outcome = z.object({
  market_id: z.string(),
  ts: z.unknown().transform((value, context) => {
    const time = parseTimestamp(value);
    if (time) return time;
    context.addIssue({ code: 'custom', message: 'Input should be a valid datetime' });
    return z.NEVER;
  }),
  /** The probability that the market came to, or 0 or 1 when it was resolved. */
  value: z.number().min(0).max(1),
});

/** One outcome, or a list of them under `outcomes`. */
export const Outcomes = z.union([
  z.object({ outcomes: z.array(Outcome).max(10_000) }),
  Outcome.transform((one) => ({ outcomes: [one] })),
]);
export type Outcomes = z.infer<typeof Outcomes>;

export const takeOutcomes = (gateway: Gateway, { outcomes }: Outcomes): string => {
  const matched = outcomes.reduce(
    (sum, { market_id, ts, value }) =>
      sum + gateway.realise({ market: market_id, atMicros: ts.micros, actual: value }).length,
    0,
  );
  const scores = gateway.ledger.scores();
  return JSON.stringify({
    received: outcomes.length,
    forecasts_scored: matched,
    scores: {
      samples: scores.samples,
      brier: scores.brier ?? null,
      ece: scores.ece ?? null,
      log_loss: scores.logLoss ?? null,
      coverage: scores.coverage ?? null,
      width: scores.width ?? null,
      drift_detected: scores.hasDrifted,
    },
  });
};
