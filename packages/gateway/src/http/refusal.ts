/** Answers that are no forecast, in the form of the contract (section 4). */
import { TollamaError, toTollamaError } from '@tollama/core/errors';

export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly failureCode: string | undefined;
}

const make = (
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): Refusal => {
  const { failure_code: code } = body;
  const failureCode = typeof code === 'string' ? code : undefined;
  return { status, text: JSON.stringify(body), headers, failureCode };
};

const INPUT_INVALID = 'INPUT_INVALID';

export const UNAUTHORIZED = make(401, { detail: 'Unauthorized' }, { 'www-authenticate': 'Bearer' });

export const tooManyRequests = (path: string, seconds: number): Refusal =>
  make(429, { detail: `Rate limit exceeded for ${path}` }, { 'retry-after': String(seconds) });

export const draining = make(
  503,
  { detail: 'the gateway is shutting down', failure_code: 'SHUTTING_DOWN' },
  { 'retry-after': '1', connection: 'close' },
);

/** A body of the wrong form is 422 with a list, one that makes no sense 400 with a sentence. */
export const refusalOf = (thrown: unknown): Refusal => {
  const error = toTollamaError(thrown);
  switch (error.code) {
    case 'INVALID_REQUEST':
      return Array.isArray(error.data)
        ? make(422, { detail: error.data, failure_code: INPUT_INVALID })
        : make(400, { detail: error.message, failure_code: INPUT_INVALID });
    case 'BODY_TOO_LARGE':
      return make(
        413,
        { detail: error.message, failure_code: INPUT_INVALID },
        { connection: 'close' },
      );
    case 'FORECAST_UNAVAILABLE':
      return make(503, { detail: error.message, failure_code: error.code }, { 'retry-after': '1' });
    case 'MODEL_UNSUPPORTED':
      return make(400, { detail: error.message, failure_code: 'MODEL_NOT_ALLOWED' });
    case 'INTERNAL':
      // What it was is in the log.
      return make(500, { detail: 'Internal Server Error', failure_code: 'INTERNAL' });
    default:
      return make(error.status, { detail: error.message, failure_code: error.code });
  }
};

export const jsonInvalid = (reason: string): TollamaError =>
  new TollamaError('INVALID_REQUEST', `the body is not valid JSON: ${reason}`, {
    data: [{ type: 'json_invalid', loc: ['body'], msg: `JSON decode error: ${reason}` }],
  });
