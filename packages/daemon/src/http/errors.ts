/** An error as the contract's answer: {"detail": ..., "hint"?: ...} and its status. */
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { dialectOf, toldIn } from './dialects.ts';

export interface ErrorBody {
  readonly detail: unknown;
  readonly hint?: string;
}

/** Statuses whose answers carry no hint by contract. */
const WITHOUT_HINT: ReadonlySet<number> = new Set([405, 413, 429]);

export const errorBody = (error: TollamaError): ErrorBody => {
  const { status, hint } = error;
  const detail = error.data ?? error.message;
  return hint === undefined || WITHOUT_HINT.has(status) ? { detail } : { detail, hint };
};

/** Seconds after which a 503 may be tried again. */
const RETRY_AFTER_SECONDS = '1';

/** Tells a 503 for want of time from others: over gRPC that is another status. */
export const TIMED_OUT_HEADER = 'x-tollama-error';

export const errorResponse = (c: Context, thrown: unknown): Response => {
  const error = toTollamaError(thrown);
  // What took too long once would again: clients are not invited to ask for the same.
  if (error.status === 503 && error.code !== 'TIMEOUT')
    c.header('retry-after', RETRY_AFTER_SECONDS);
  // The rest of a body that is too large is not read; the connection cannot be used again.
  if (error.code === 'BODY_TOO_LARGE') c.header('connection', 'close');
  if (error.code === 'TIMEOUT') c.header(TIMED_OUT_HEADER, 'timeout');
  const told = toldIn(dialectOf(c.req.path), error);
  if (told) return c.json(told.body, told.status as ContentfulStatusCode);
  return c.json(errorBody(error), error.status as ContentfulStatusCode);
};

export const notFound = (): TollamaError => new TollamaError('NOT_FOUND', 'Not Found');
export const methodNotAllowed = (): TollamaError =>
  new TollamaError('METHOD_NOT_ALLOWED', 'Method Not Allowed');
