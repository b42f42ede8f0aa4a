/** Why the upstream gave no usable answer. */

export type FailureCode =
  | 'RUNTIME_TIMEOUT'
  | 'RUNTIME_RATE_LIMITED'
  | 'RUNTIME_5XX'
  | 'RUNTIME_NETWORK'
  | 'RUNTIME_BAD_RESPONSE_SCHEMA'
  | 'RUNTIME_REJECTED';

export interface FailureOptions {
  /** Whether the same call may succeed a moment later. */
  readonly isTransient?: boolean;
  /** Name of the class that the original's clients know: TollamaError, or ValueError for a wrong shape. */
  readonly reasonClass?: string;
  readonly cause?: unknown;
}

export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly code: FailureCode;
  /** What went wrong, in one word: ReadTimeout, HTTPStatusError, ... */
  readonly kind: string;
  readonly isTransient: boolean;
  readonly reasonClass: string;

  constructor(
    code: FailureCode,
    kind: string,
    message: string,
    { isTransient = false, reasonClass = 'TollamaError', cause }: FailureOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.kind = kind;
    this.isTransient = isTransient;
    this.reasonClass = reasonClass;
  }
}

const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** An address as it may be told: without a login. */
export const withoutLogin = (url: URL | string): string => {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  return shown.href;
};

/** An answer whose status is not 2xx. */
export const statusFailure = (status: number, url: string): UpstreamFailure => {
  const code =
    status === 429 ? 'RUNTIME_RATE_LIMITED' : status >= 500 ? 'RUNTIME_5XX' : 'RUNTIME_REJECTED';
  return new UpstreamFailure(code, 'HTTPStatusError', `status ${status} from ${url}`, {
    isTransient: TRANSIENT_STATUSES.has(status),
  });
};

export const schemaFailure = (kind: string, message: string, cause?: unknown): UpstreamFailure =>
  new UpstreamFailure('RUNTIME_BAD_RESPONSE_SCHEMA', kind, message, { cause });

/** A well-formed answer of the wrong shape. */
export const shapeFailure = (message: string): UpstreamFailure =>
  new UpstreamFailure('RUNTIME_BAD_RESPONSE_SCHEMA', 'ValueError', message, {
    reasonClass: 'ValueError',
  });
