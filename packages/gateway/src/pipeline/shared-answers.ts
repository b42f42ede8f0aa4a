/** Answers in a store that others write to as well: what they are kept under, and which of them are believed. */
import { hash } from 'node:crypto';
import type { Question } from '../request/validate.ts';
import type { ForecastContext } from './context.ts';

/**
 * The key of a request's answer together with all that shaped it here: instances with other levels, widths,
 * models or another calibration do not take each other's answers.
 */
export const sharedKeyOf = (context: ForecastContext): string => {
  const { key, settings, question, model, fallback, segments, parts } = context;
  const { quantiles, input_len_steps, interval_sanity, cache } = settings;
  const conformal = parts.conformal();
  const shape = [
    cache.identity,
    quantiles,
    input_len_steps,
    interval_sanity,
    settings.fallback,
    [question.usesLogit, question.eps],
    model,
    // Settled before the look-up; what a failure forces comes after it.
    fallback?.isSettled ? fallback.reason : null,
    [conformal.isLoaded, conformal.choose(segments) ?? null],
  ];
  return hash('sha256', `${key}${JSON.stringify(shape)}`, 'base64url');
};

const isProbability = (value: unknown): value is number =>
  typeof value === 'number' && value >= 0 && value <= 1;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Whether the text is an answer to this question: its market, levels and horizon, in bounds and in order. */
export const isSoundAnswer = (text: string, { request, levels }: Question): boolean => {
  const answer = parsed(text);
  if (!isObject(answer) || !isObject(answer.yhat_q) || !isObject(answer.meta)) return false;
  if (answer.market_id !== request.market_id || !Array.isArray(answer.meta.warnings)) return false;
  if (answer.horizon_steps !== request.horizon_steps) return false;
  const rows = Object.values(answer.yhat_q);
  if (rows.length !== levels.length) return false;
  const { yhat_q } = answer;
  let below: readonly number[] | undefined;
  for (const level of levels) {
    const row = yhat_q[String(level)];
    if (!Array.isArray(row) || row.length !== request.horizon_steps) return false;
    if (!row.every(isProbability)) return false;
    if (below?.some((value, step) => value > Number(row[step]))) return false;
    below = row;
  }
  return true;
};
