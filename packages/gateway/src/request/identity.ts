/** Which requests are the same one: the key of the cache and of shared calls. */
import { hash } from 'node:crypto';
import type { ForecastRequest } from './forecast-request.ts';

/**
 * full: everything that the answer depends on.
 * original: without y_ts and max_gap_minutes, as the original service had it; a request with other
 * timestamps is then answered from the cache, unchecked.
 */
export type IdentityRule = 'full' | 'original';

/** JSON whose keys are sorted at every level, so that equal objects have equal texts. */
const canonical = (value: unknown): unknown => {
  if (Array.isArray(value)) return [0, ...value.map(canonical)];
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // A list and an object of the same pairs are not the same: 0 and 1 tell them apart.
  return [1, ...entries.map(([key, inner]) => [key, canonical(inner)])];
};

const isEmpty = (value: object): boolean => {
  for (const _ in value) return false;
  return true;
};

const canonicalOf = (value: object): unknown => (isEmpty(value) ? 0 : canonical(value));

const timing = ({ y_ts, max_gap_minutes }: ForecastRequest): unknown => [
  y_ts?.map(({ micros }) => micros) ?? null,
  max_gap_minutes ?? null,
];

/** A digest that two requests share exactly when they are the same. */
export const identityOf = (request: ForecastRequest, rule: IdentityRule): string => {
  const { model, transform } = request;
  const head = JSON.stringify([
    request.market_id,
    request.as_of_ts.text,
    request.freq,
    request.horizon_steps,
    request.quantiles,
    canonicalOf(request.x_past),
    canonicalOf(request.x_future),
    [transform.space, transform.eps],
    [model.provider, model.model_name, model.model_version ?? null, canonicalOf(model.params)],
    request.liquidity_bucket ?? null,
    request.category ?? null,
    request.tte_bucket ?? null,
    rule === 'full' ? timing(request) : null,
  ]);
  const headBytes = Buffer.from(head);
  // The values as they are in memory: writing 288 numbers as text costs more than hashing them.
  const values = Buffer.from(Float64Array.from(request.y).buffer);
  return hash('sha256', Buffer.concat([headBytes, values]), 'base64url');
};
