/** One request to a daemon: address, key, time limit, and another try where that is safe. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { timerMs } from '@tollama/core/timer';
import { errorOfResponse } from './response-error.ts';

export interface ClientOptions {
  /** Address of the daemon. */
  readonly baseUrl?: string;
  /** Sent as a Bearer token. */
  readonly apiKey?: string | undefined;
  /** For answers that need no model; forecasts and pulls take as long as they take. */
  readonly timeoutMs?: number;
  /**
   * How often a request is tried again: reads when nobody answered, everything when a busy daemon says when to
   * come back (503 or 429 with Retry-After). Nothing else is sent twice.
   */
  readonly retries?: number;
  /** Sent with every request; asked each time, so that a trace's context can go along. */
  readonly headers?: () => Readonly<Record<string, string>>;
  readonly fetch?: typeof fetch;
  /** Waits between two tries; a clock of one's own for tests. */
  readonly wait?: (milliseconds: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface Request extends CallOptions {
  readonly method?: string;
  /** Sent as JSON, a FormData as it is. */
  readonly body?: unknown;
  /** No timeout of its own. */
  readonly isLong?: boolean;
  /** Overrides the client's. */
  readonly retries?: number;
}

const DEFAULT_BASE_URL = 'http://127.0.0.1:11435';
const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_RETRIES = 2;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 30_000;

const waitFor = (milliseconds: number, signal: AbortSignal | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    if (signal?.aborted) return reject(signal.reason as Error);
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', stop, { once: true });
  });

/** Doubles with each try; between half and all of it, so that clients do not come back together. */
const backoff = (attempt: number): number =>
  FIRST_DELAY_MS * 2 ** attempt * (0.5 + Math.random() / 2);

/** Seconds or a date; undefined when the answer does not invite to come back soon. */
const retryAfter = ({ status, headers }: Response): number | undefined => {
  const text = headers.get('retry-after');
  if ((status !== 503 && status !== 429) || !text) return undefined;
  const seconds = Number(text);
  const delay = Number.isNaN(seconds) ? Date.parse(text) - Date.now() : seconds * 1000;
  return delay >= 0 && delay <= LONGEST_DELAY_MS ? delay : undefined;
};

type Outcome =
  | { readonly response: Response }
  | { readonly error: TollamaError; readonly delay: number | undefined };

export class Transport {
  readonly baseUrl: string;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.baseUrl = (options.baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, '');
  }

  /**
   * A successful answer.
   * @throws TollamaError with the code of what the daemon refused, DAEMON_UNREACHABLE or TIMEOUT; the reason of
   * the signal when that was aborted
   */
  async request(path: string, request: Request = {}): Promise<Response> {
    const { wait = waitFor } = this.#options;
    const retries = request.retries ?? this.#options.retries ?? DEFAULT_RETRIES;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#attempt(path, request, attempt);
      if ('response' in outcome) return outcome.response;
      if (outcome.delay === undefined || attempt >= retries) throw outcome.error;
      await wait(outcome.delay, request.signal);
    }
  }

  async #attempt(path: string, request: Request, attempt: number): Promise<Outcome> {
    const { method = 'GET', signal } = request;
    let response: Response;
    try {
      response = await this.#send(path, request);
    } catch (cause) {
      signal?.throwIfAborted();
      const error = this.#unreachable(cause);
      const isSafe = method === 'GET' && error.code === 'DAEMON_UNREACHABLE';
      return { error, delay: isSafe ? backoff(attempt) : undefined };
    }
    if (response.ok) return { response };
    return { delay: retryAfter(response), error: await errorOfResponse(response) };
  }

  #send(path: string, { method = 'GET', body, signal, isLong = false }: Request) {
    const { apiKey, headers, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const { fetch: fetchWith = fetch } = this.#options;
    const isJson = body !== undefined && !(body instanceof FormData);
    const signals = [signal, isLong ? undefined : AbortSignal.timeout(timerMs(timeoutMs))].filter(
      (one) => one !== undefined,
    );
    return fetchWith(`${this.baseUrl}${path}`, {
      method,
      headers: {
        ...headers?.(),
        ...(isJson && { 'content-type': 'application/json' }),
        ...(apiKey && { authorization: `Bearer ${apiKey}` }),
      },
      ...(body !== undefined && { body: isJson ? JSON.stringify(body) : (body as FormData) }),
      signal: AbortSignal.any(signals),
    });
  }

  #unreachable(cause: unknown): TollamaError {
    if (cause instanceof Error && cause.name === 'TimeoutError') {
      const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
      const message = `no answer from ${this.baseUrl} within ${timeoutMs / 1000} s`;
      return new TollamaError('TIMEOUT', message, { hint: 'raise the timeout', cause });
    }
    const reason =
      cause instanceof Error && cause.cause ? errorMessage(cause.cause) : errorMessage(cause);
    const message = `no daemon answers at ${this.baseUrl}: ${reason}`;
    return new TollamaError('DAEMON_UNREACHABLE', message, { cause });
  }
}
