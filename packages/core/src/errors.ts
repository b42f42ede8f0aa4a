/**
 * The one table of error codes. A code is born here, with its HTTP status, the exit code of the
 * command line and the hint that a user sees when the thrower has nothing better to say.
 */

/** Exit codes of the command line, by class of failure. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  checkFailed: 3,
  halted: 4,
  interrupted: 130,
} as const;

interface ErrorClass {
  readonly status: number;
  readonly exit: number;
  readonly hint?: string;
}

const RETRY_LATER = 'retry in a moment; `tollama ps` and the daemon log tell what is going on';

export const ERRORS = {
  INVALID_REQUEST: { status: 400, exit: EXIT.usage, hint: 'fix the request and retry' },
  INVALID_INPUT: { status: 400, exit: EXIT.usage, hint: 'fix the input file and retry' },
  MODEL_UNSUPPORTED: {
    status: 400,
    exit: EXIT.usage,
    hint: "use another model: `tollama list` names those that are installed, and 'auto' always works",
  },
  UNAUTHORIZED: { status: 401, exit: EXIT.failure },
  FORBIDDEN: { status: 403, exit: EXIT.failure },
  NOT_FOUND: { status: 404, exit: EXIT.failure },
  MODEL_NOT_FOUND: { status: 404, exit: EXIT.failure },
  METHOD_NOT_ALLOWED: { status: 405, exit: EXIT.failure },
  LICENSE_REQUIRED: {
    status: 409,
    exit: EXIT.failure,
    hint: 'read the licence and repeat with --accept-license (accept_license: true)',
  },
  MODEL_EXISTS: { status: 409, exit: EXIT.failure },
  BODY_TOO_LARGE: { status: 413, exit: EXIT.usage },
  UNSUPPORTED_ENCODING: { status: 415, exit: EXIT.usage },
  RATE_LIMITED: { status: 429, exit: EXIT.failure },
  CONFIG_INVALID: { status: 500, exit: EXIT.failure },
  CHECKPOINT_INVALID: {
    status: 500,
    exit: EXIT.failure,
    hint: 'remove the model and pull it again; the published file may have changed',
  },
  GRAPH_INVALID: { status: 500, exit: EXIT.failure },
  INTERNAL: { status: 500, exit: EXIT.failure },
  TRAINING_DIVERGED: {
    status: 500,
    exit: EXIT.halted,
    hint: 'lower the learning rate, or clip the gradients harder',
  },
  /** A part of a protocol that this server does not offer; asking again does not help. */
  NOT_OFFERED: { status: 501, exit: EXIT.failure },
  RUNNER_ERROR: { status: 502, exit: EXIT.failure },
  PULL_FAILED: { status: 502, exit: EXIT.failure },
  RUNNER_UNAVAILABLE: { status: 503, exit: EXIT.failure, hint: RETRY_LATER },
  DEPENDENCY_MISSING: {
    status: 503,
    exit: EXIT.failure,
    hint: "install what is missing on the daemon's machine (`tollama doctor` looks for it), then retry",
  },
  TIMEOUT: { status: 503, exit: EXIT.failure, hint: 'raise the timeout or ask for less at once' },
  BUSY: { status: 503, exit: EXIT.failure, hint: RETRY_LATER },
  DISK_FULL: {
    status: 507,
    exit: EXIT.failure,
    hint: 'make room (`tollama prune`, `tollama rm`) or set TOLLAMA_HOME to another disk',
  },
  FORECAST_UNAVAILABLE: { status: 503, exit: EXIT.failure },
  DAEMON_UNREACHABLE: {
    status: 503,
    exit: EXIT.failure,
    hint: 'start the daemon with `tollama serve`, or check --base-url',
  },
  INTERRUPTED: { status: 503, exit: EXIT.interrupted },
} as const satisfies Record<string, ErrorClass>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorOptions {
  /** What the user should do next; the table's hint when absent. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Structured facts: schema issues for INVALID_REQUEST, the runner's own code for RUNNER_ERROR. */
  readonly data?: unknown;
}

/**
 * The one error of the product: a registered code, a message that names what was wrong with the
 * offending value, and a hint that says what to do.
 *
 * @example
 * throw new TollamaError('MODEL_NOT_FOUND', "model 'x' is not installed", {
 *   hint: 'tollama pull x',
 * });
 */
export class TollamaError extends Error {
  override readonly name = 'TollamaError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly data: unknown;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    const registered: ErrorClass = ERRORS[code];
    this.hint = options.hint ?? registered.hint;
    this.data = options.data;
  }

  get status(): number {
    return ERRORS[this.code].status;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === 'string' && Object.hasOwn(ERRORS, code);

/** The text of anything that was thrown. */
export const errorMessage = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);

const DISK_FULL_CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** A TollamaError as it is; a full disk as such; anything else becomes INTERNAL (or `code`) with its cause kept. */
export const toTollamaError = (thrown: unknown, code: ErrorCode = 'INTERNAL'): TollamaError => {
  if (thrown instanceof TollamaError) return thrown;
  const isDiskFull = DISK_FULL_CODES.has((thrown as NodeJS.ErrnoException | undefined)?.code);
  return new TollamaError(isDiskFull ? 'DISK_FULL' : code, errorMessage(thrown), { cause: thrown });
};

/** The state folder, or one in it, is not this user's to write, or lies on a read-only disk. */
export const homeNotWritable = (home: string, cause: unknown): TollamaError =>
  DISK_FULL_CODES.has((cause as NodeJS.ErrnoException | undefined)?.code)
    ? toTollamaError(cause)
    : new TollamaError(
        'CONFIG_INVALID',
        `the state folder '${home}' cannot be written: ${errorMessage(cause)}`,
        { hint: 'set TOLLAMA_HOME to a folder that this user may write', cause },
      );

/** For the default branch of an exhaustive switch: a new union member fails to compile here. */
export const assertNever = (value: never): never => {
  throw new TollamaError('INTERNAL', `unexpected value ${JSON.stringify(value)}`);
};
