/** Down the candidates: the next one only after failures that it can help with, each step recorded. */
import { type SessionErrorCode, TSAgentKitError, toSessionError } from '../errors/session-error.ts';

/** Failures that lead to the next candidate; anything else surfaces. */
export const FALLBACK_CODES: ReadonlySet<SessionErrorCode> = new Set([
  'E_MODEL_FIT_FAIL',
  'E_MODEL_PREDICT_FAIL',
  'E_MODEL_LOAD_FAILED',
  'E_ADAPTER_NOT_AVAILABLE',
  'E_OOM',
]);

/** A step down, or a series that another model had to forecast. */
export interface FallbackStep {
  readonly from: string;
  readonly to: string | null;
  readonly error_code: SessionErrorCode;
  readonly error: string;
  /** Only these series; all when absent. */
  readonly series?: readonly string[];
}

export type OnFallback = (step: FallbackStep) => void;

export interface Attempted<T> {
  readonly model: string;
  readonly result: T;
}

const OUT_OF_MEMORY = /out of memory|\bOOM\b/i;

export const isFallback = (error: unknown): error is TSAgentKitError =>
  error instanceof TSAgentKitError &&
  (FALLBACK_CODES.has(error.code) || OUT_OF_MEMORY.test(error.message));

/**
 * Tries candidates in order and gives the first result.
 *
 * @throws TSAgentKitError E_FALLBACK_EXHAUSTED with models_attempted when none is left
 */
export const descend = async <T>(
  candidates: readonly string[],
  attempt: (model: string) => Promise<T>,
  onFallback: OnFallback,
): Promise<Attempted<T>> => {
  const attempted: string[] = [];
  let last: TSAgentKitError | undefined;
  for (const [i, model] of candidates.entries()) {
    attempted.push(model);
    try {
      return { model, result: await attempt(model) };
    } catch (error) {
      if (!isFallback(error)) throw error;
      last = toSessionError(error, 'E_MODEL_FIT_FAIL');
      const { code, reason } = last;
      onFallback({ from: model, to: candidates[i + 1] ?? null, error_code: code, error: reason });
    }
  }
  throw new TSAgentKitError('E_FALLBACK_EXHAUSTED', 'no candidate could forecast', {
    context: { models_attempted: attempted, last_error: last?.toAgentDict() ?? null },
    fixHint: 'see last_error; allow baselines with tsfm_policy.mode preferred',
    ...(last && { cause: last }),
  });
};
