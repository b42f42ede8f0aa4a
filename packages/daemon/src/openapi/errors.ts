/** Errors as the document tells them: a body for each protocol, and the statuses of codes. */
import { type ErrorCode, TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import { type Dialect, dialectOf, toldIn } from '../http/dialects.ts';
import type { Operation } from './operation.ts';

/** One thing that is wrong with a body. */
export const Issue = z.looseObject({
  type: z.string(),
  loc: z.array(z.union([z.string(), z.int()])).describe('where: body, then names and places'),
  msg: z.string(),
});

const Detail = z
  .union([z.string(), z.array(Issue), z.record(z.string(), z.unknown())])
  .describe('what was wrong; a list of issues for a body that does not fit its schema');

export const ErrorBody = z.object({
  detail: Detail,
  hint: z.string().optional().describe('what to do'),
});

/** As clients of the TimeGPT API read it. */
export const TimegptError = z.object({ detail: z.union([z.string(), z.array(Issue)]) });

/** The same told to clients of the Open Inference Protocol. */
export const InferenceError = z.object({ error: z.string() });

/** ... and to those of KServe's time series. */
export const TimeSeriesError = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    param: z.string().nullable(),
    type: z.enum(['invalid_request_error', 'server_error']),
  }),
});

export const ERROR_OF: Readonly<Record<Dialect, z.ZodType>> = {
  tollama: ErrorBody,
  timegpt: TimegptError,
  'open-inference': InferenceError,
  'kserve-time-series': TimeSeriesError,
};

/** Any request may meet these: a missing key, a page of elsewhere, a fault of ours. */
const ALWAYS: readonly ErrorCode[] = ['UNAUTHORIZED', 'FORBIDDEN', 'INTERNAL'];
const OF_BODY: readonly ErrorCode[] = ['INVALID_REQUEST', 'BODY_TOO_LARGE', 'UNSUPPORTED_ENCODING'];

/** What a model that runs may answer instead of a forecast. */
export const OF_FORECAST: readonly ErrorCode[] = [
  ...(['INVALID_REQUEST', 'MODEL_NOT_FOUND', 'MODEL_UNSUPPORTED', 'LICENSE_REQUIRED'] as const),
  ...(['RATE_LIMITED', 'RUNNER_ERROR', 'RUNNER_UNAVAILABLE', 'TIMEOUT', 'BUSY'] as const),
];

export const OF_PULL: readonly ErrorCode[] = [
  ...(['MODEL_NOT_FOUND', 'MODEL_UNSUPPORTED', 'LICENSE_REQUIRED', 'MODEL_EXISTS'] as const),
  ...(['PULL_FAILED', 'RUNNER_UNAVAILABLE', 'DISK_FULL'] as const),
];

/** Codes by the status that the operation's protocol tells them with, ascending. */
export const errorStatuses = ({
  path,
  body,
  form,
  errors = [],
}: Operation): ReadonlyMap<number, readonly ErrorCode[]> => {
  const dialect = dialectOf(path);
  const codes = [...ALWAYS, ...(body || form ? OF_BODY : []), ...errors];
  const status = (code: ErrorCode): number => {
    const error = new TollamaError(code, code);
    return toldIn(dialect, error)?.status ?? error.status;
  };
  const found = Map.groupBy([...new Set(codes)], status);
  return new Map([...found].toSorted(([a], [b]) => a - b));
};
