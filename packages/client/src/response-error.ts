/** What a daemon refuses, as a TollamaError: its body {detail, hint?} and its status. */
import { type ErrorCode, isErrorCode, TollamaError } from '@tollama/core/errors';

export interface ErrorDetail {
  readonly detail?: unknown;
  readonly message?: string | undefined;
  readonly hint?: string | undefined;
}

/** The text of an error's detail: a sentence, a list of schema issues, or a runner's own error. */
const detailText = (detail: unknown): string => {
  if (typeof detail === 'string') return detail;
  if (Array.isArray(detail)) {
    return detail
      .map((issue: { loc?: unknown[]; msg?: string; input?: unknown }) => {
        const place = (issue.loc ?? []).slice(1).join('.') || 'body';
        const got = issue.input === undefined ? '' : ` (got ${JSON.stringify(issue.input)})`;
        return `${place}: ${issue.msg ?? ''}${got}`;
      })
      .join('; ');
  }
  const { message } = (detail ?? {}) as { message?: unknown };
  return typeof message === 'string' ? message : JSON.stringify(detail);
};

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHORIZED',
  403: 'FORBIDDEN',
  405: 'METHOD_NOT_ALLOWED',
  413: 'BODY_TOO_LARGE',
  415: 'UNSUPPORTED_ENCODING',
  429: 'RATE_LIMITED',
  501: 'NOT_OFFERED',
  502: 'RUNNER_ERROR',
  503: 'RUNNER_UNAVAILABLE',
  507: 'DISK_FULL',
};

/** The contract answers sentences; where one status stands for two codes the sentence tells which. */
const codeOf = (status: number, detail: unknown, text: string): ErrorCode => {
  const { code } = (detail ?? {}) as { code?: unknown };
  if (isErrorCode(code)) return code;
  if (status === 404) return /^model '/.test(text) ? 'MODEL_NOT_FOUND' : 'NOT_FOUND';
  if (status === 409) return / exists\b/.test(text) ? 'MODEL_EXISTS' : 'LICENSE_REQUIRED';
  return CODE_OF_STATUS[status] ?? 'INTERNAL';
};

/** `fallback` is the code of an error that comes without a status. */
export const toError = (
  { detail, message, hint }: ErrorDetail,
  status: number | undefined,
  fallback: ErrorCode = 'INTERNAL',
): TollamaError => {
  const told = detail ?? message ?? '';
  const text = message ?? detailText(told);
  const code = status === undefined ? fallback : codeOf(status, detail, text);
  return new TollamaError(code, status === undefined ? text : `${text} (HTTP ${status})`, {
    data: { ...(status !== undefined && { status }), detail: told, ...(hint && { hint }) },
    ...(hint && { hint }),
  });
};

export const errorOfResponse = async (response: Response): Promise<TollamaError> => {
  const body = (await response.json().catch(() => ({}))) as ErrorDetail;
  return toError({ ...body, detail: body.detail ?? response.statusText }, response.status);
};
