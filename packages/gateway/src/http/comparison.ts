/** POST /markets/{id}/comparison: the model's forecast beside the baseline's. */
import { TollamaError } from '@tollama/core/errors';
import { type ForecastResponse, responseOf } from '../pipeline/answer.ts';
import type { ForecastRequest } from '../request/forecast-request.ts';
import type { Desk } from './desk.ts';

const lastMedian = ({ yhat_q }: ForecastResponse): number | undefined => yhat_q['0.5']?.at(-1);

/** Runs the request as it is, and in the bucket that gets baselines only. Throws when the ids differ. */
export const compareWithBaseline = async (
  desk: Desk,
  marketId: string,
  request: ForecastRequest,
): Promise<string> => {
  if (request.market_id !== marketId) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `market_id '${request.market_id}' of the body differs from '${marketId}' of the path`,
    );
  }
  const { baseline_only_liquidity_bucket: bucket } = desk.gateway.settings.tsfm.fallback;
  const tollama = responseOf(await desk.answer(request));
  const baseline = responseOf(await desk.answer({ ...request, liquidity_bucket: bucket }));
  const [ours, theirs] = [lastMedian(tollama), lastMedian(baseline)];
  const delta = ours === undefined || theirs === undefined ? null : ours - theirs;
  return JSON.stringify({ market_id: marketId, baseline, tollama, delta_last_q50: delta });
};
