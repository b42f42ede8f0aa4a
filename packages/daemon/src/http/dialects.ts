/** Which protocol a path belongs to, and how that protocol tells an error. */
import type { TollamaError } from '@tollama/core/errors';

export type Dialect = 'tollama' | 'timegpt' | 'open-inference' | 'kserve-time-series';

/** Also what is not offered: its clients look for `error` in every answer that is not 200. */
const OPEN_INFERENCE =
  /^\/v2\/?(?:$|(?:health|repository|trace|logging|systemsharedmemory|cudasharedmemory)(?:\/|$)|models\/)/;
const TIMEGPT = /^\/(?:v2\/|(?:validate_api_key|usage|model_params)$)/;
const TIME_SERIES = /^\/v1\/timeseries\//;

export const dialectOf = (path: string): Dialect => {
  if (OPEN_INFERENCE.test(path)) return 'open-inference';
  if (TIMEGPT.test(path)) return 'timegpt';
  return TIME_SERIES.test(path) ? 'kserve-time-series' : 'tollama';
};

export interface ToldError {
  readonly status: number;
  readonly body: unknown;
}

const sentence = ({ message, hint }: TollamaError): string =>
  hint ? `${message}; ${hint}` : message;

/**
 * Clients of the TimeGPT API repeat 408, 409, 429, 502, 503 and 504 for a minute, so that only what passes by
 * itself may have one of them.
 */
const TIMEGPT_STATUS: Readonly<Record<string, number>> = {
  INVALID_REQUEST: 422,
  INVALID_INPUT: 422,
  MODEL_UNSUPPORTED: 422,
  LICENSE_REQUIRED: 403,
  MODEL_EXISTS: 422,
  RUNNER_ERROR: 500,
  PULL_FAILED: 500,
  RUNNER_UNAVAILABLE: 500,
  DEPENDENCY_MISSING: 501,
  TIMEOUT: 500,
  FORECAST_UNAVAILABLE: 500,
};

/** The protocol knows 400, 404, 500 and 503; what else is needed keeps its own status. */
const OPEN_INFERENCE_STATUS: Readonly<Record<string, number>> = {
  LICENSE_REQUIRED: 403,
  MODEL_EXISTS: 400,
  RUNNER_ERROR: 500,
  RUNNER_UNAVAILABLE: 500,
};

/** The error as a client of the dialect reads it; undefined for our own. */
export const toldIn = (dialect: Dialect, error: TollamaError): ToldError | undefined => {
  const { code, status, data } = error;
  switch (dialect) {
    case 'timegpt': {
      const detail = Array.isArray(data) ? data : sentence(error);
      return { status: TIMEGPT_STATUS[code] ?? status, body: { detail } };
    }
    case 'open-inference':
      return {
        status: OPEN_INFERENCE_STATUS[code] ?? status,
        body: { error: sentence(error) },
      };
    case 'kserve-time-series': {
      const type = status < 500 ? 'invalid_request_error' : 'server_error';
      const body = { error: { code, message: sentence(error), param: null, type } };
      return { status: OPEN_INFERENCE_STATUS[code] ?? status, body };
    }
    case 'tollama':
      return undefined;
  }
};
