/** Errors of sessions: a code that agents can act on, facts, and what to do next. */

export const SESSION_ERROR_CODES = [
  'E_CONTRACT_INVALID',
  'E_CONTRACT_MISSING_COLUMN',
  'E_CONTRACT_INVALID_TYPE',
  'E_CONTRACT_DUPLICATE_KEY',
  'E_CONTRACT_UNSORTED',
  'E_FREQ_INFER_FAIL',
  'E_DS_NOT_MONOTONIC',
  'E_SPLIT_RANDOM_FORBIDDEN',
  'E_QA_MIN_HISTORY',
  'E_QA_REPAIR_PEEKS_FUTURE',
  'E_QA_CRITICAL_ISSUE',
  'E_QA_LEAKAGE_DETECTED',
  'E_COVARIATE_LEAKAGE',
  'E_COVARIATE_INCOMPLETE_KNOWN',
  'E_COVARIATE_STATIC_INVALID',
  'E_MODEL_FIT_FAIL',
  'E_MODEL_PREDICT_FAIL',
  'E_MODEL_LOAD_FAILED',
  'E_MODEL_NOT_LOADED',
  'E_ADAPTER_NOT_AVAILABLE',
  'E_TSFM_REQUIRED_UNAVAILABLE',
  'E_FALLBACK_EXHAUSTED',
  'E_OOM',
  'E_TASK_SPEC_INVALID',
  'E_TASK_SPEC_INCOMPATIBLE',
  'E_ARTIFACT_SCHEMA_INCOMPATIBLE',
  'E_ARTIFACT_LOAD_FAILED',
  'E_BACKTEST_FAIL',
  'E_BACKTEST_INSUFFICIENT_DATA',
  'E_BACKTEST_INVALID_WINDOW',
  'E_CALIBRATION_FAIL',
  'E_ANOMALY_FAIL',
] as const;
export type SessionErrorCode = (typeof SESSION_ERROR_CODES)[number];

export type ErrorContext = Readonly<Record<string, unknown>>;

/** The dictionary form, for agents. */
export interface AgentErrorDict {
  readonly error_code: SessionErrorCode;
  readonly message: string;
  readonly fix_hint: string;
  readonly context: ErrorContext;
}

export interface SessionErrorOptions {
  readonly context?: ErrorContext;
  readonly fixHint?: string;
  readonly cause?: unknown;
}

const textOf = (code: string, message: string, context: ErrorContext, fixHint: string): string => {
  const facts = Object.keys(context).length > 0 ? ` (context: ${JSON.stringify(context)})` : '';
  return `[${code}] ${message}${facts}${fixHint ? ` [hint: ${fixHint}]` : ''}`;
};

/**
 * @example
 * throw new TSAgentKitError('E_FREQ_INFER_FAIL', 'the timestamps have no common step', { fixHint: 'give freq' });
 */
export class TSAgentKitError extends Error {
  override readonly name: string = 'TSAgentKitError';
  readonly code: SessionErrorCode;
  /** The message without code, context and hint. */
  readonly reason: string;
  readonly context: ErrorContext;
  readonly fixHint: string;

  constructor(code: SessionErrorCode, message: string, options: SessionErrorOptions = {}) {
    const { context = {}, fixHint = '', cause } = options;
    super(textOf(code, message, context, fixHint), cause === undefined ? undefined : { cause });
    this.code = code;
    this.reason = message;
    this.context = context;
    this.fixHint = fixHint;
  }

  toAgentDict(): AgentErrorDict {
    const { code, reason, fixHint, context } = this;
    return { error_code: code, message: reason, fix_hint: fixHint, context };
  }
}

const OUT_OF_MEMORY = /out of memory|\bOOM\b|allocation failed|cannot allocate|bad_alloc/i;

/** The error as it is; anything else becomes `code` (or E_OOM) with its cause kept. */
export const toSessionError = (
  thrown: unknown,
  code: SessionErrorCode,
  context: ErrorContext = {},
): TSAgentKitError => {
  if (thrown instanceof TSAgentKitError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const hint = (thrown as { hint?: unknown } | undefined)?.hint;
  return new TSAgentKitError(OUT_OF_MEMORY.test(message) ? 'E_OOM' : code, message, {
    context,
    cause: thrown,
    ...(typeof hint === 'string' && { fixHint: hint }),
  });
};
