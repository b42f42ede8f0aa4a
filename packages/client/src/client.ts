/** The SDK: a typed client of the daemon over fetch, for Node and browsers. */
import { type ErrorCode, errorMessage, TollamaError } from '@tollama/core/errors';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import type {
  CreateBody,
  DashboardState,
  ForecastBody,
  ModelsResponse,
  PruneResponse,
  PsResponse,
  PullBody,
  StreamEvent,
  TagsResponse,
  ValidationResponse,
} from './types.ts';

export interface ClientOptions {
  /** Address of the daemon. */
  readonly baseUrl?: string;
  /** Sent as a Bearer token. */
  readonly apiKey?: string | undefined;
  /** For answers that need no model; forecasts and pulls take as long as they take. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

interface Request extends CallOptions {
  readonly method?: string;
  readonly body?: unknown;
  /** No timeout of its own. */
  readonly isLong?: boolean;
}

const DEFAULT_BASE_URL = 'http://127.0.0.1:11435';
const DEFAULT_TIMEOUT_MS = 10_000;

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHORIZED',
  404: 'MODEL_NOT_FOUND',
  409: 'LICENSE_REQUIRED',
  413: 'BODY_TOO_LARGE',
  502: 'RUNNER_ERROR',
  503: 'RUNNER_UNAVAILABLE',
};

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

const fromResponse = async (response: Response): Promise<TollamaError> => {
  const body = (await response.json().catch(() => ({}))) as { detail?: unknown; hint?: string };
  const message = `${detailText(body.detail ?? response.statusText)} (HTTP ${response.status})`;
  const code = CODE_OF_STATUS[response.status] ?? 'INTERNAL';
  return new TollamaError(code, message, {
    data: { status: response.status, ...body },
    ...(body.hint === undefined ? {} : { hint: body.hint }),
  });
};

/** The chunks of a body as they come; not every browser lets a stream be iterated. */
async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Who stops listening stops the answer.
    await reader.cancel().catch(() => {});
  }
}

/**
 * @example
 * const client = new TollamaClient();
 * const { forecasts } = await client.forecast({ model: 'auto', horizon: 12, series: [series] });
 */
export class TollamaClient {
  readonly baseUrl: string;
  readonly #options: ClientOptions;

  constructor(options: ClientOptions = {}) {
    this.#options = options;
    this.baseUrl = (options.baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, '');
  }

  async #request(
    path: string,
    { method = 'GET', body, signal, isLong = false }: Request = {},
  ): Promise<Response> {
    const { apiKey, timeoutMs = DEFAULT_TIMEOUT_MS, fetch: fetchWith = fetch } = this.#options;
    const signals = [signal, isLong ? undefined : AbortSignal.timeout(timeoutMs)].filter(
      (one) => one !== undefined,
    );
    let response: Response;
    try {
      response = await fetchWith(`${this.baseUrl}${path}`, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(apiKey && { authorization: `Bearer ${apiKey}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.any(signals),
      });
    } catch (cause) {
      signal?.throwIfAborted();
      const reason =
        cause instanceof Error && cause.cause ? errorMessage(cause.cause) : errorMessage(cause);
      throw new TollamaError(
        'DAEMON_UNREACHABLE',
        `no daemon answers at ${this.baseUrl}: ${reason}`,
        { cause },
      );
    }
    if (!response.ok) throw await fromResponse(response);
    return response;
  }

  async #json<T>(path: string, request?: Request): Promise<T> {
    return (await (await this.#request(path, request)).json()) as T;
  }

  /** Whether a daemon answers at all. */
  async isHealthy(): Promise<boolean> {
    return this.#json<{ status: string }>('/v1/health').then(
      ({ status }) => status === 'ok',
      () => false,
    );
  }

  async version(): Promise<string> {
    return (await this.#json<{ version: string }>('/api/version')).version;
  }

  /** How the daemon is set up and what it does. */
  info(): Promise<Readonly<Record<string, unknown>>> {
    return this.#json('/api/info');
  }

  /** What a dashboard shows; parts that failed are null and told in `warnings`. */
  dashboardState(): Promise<DashboardState> {
    return this.#json('/api/dashboard/state');
  }

  /** Metrics in the text format of Prometheus. */
  async metrics(): Promise<string> {
    return (await this.#request('/metrics')).text();
  }

  /** Installed models. */
  tags(): Promise<TagsResponse> {
    return this.#json('/api/tags');
  }

  /** Models on offer and installed. */
  models(): Promise<ModelsResponse> {
    return this.#json('/v1/models');
  }

  /** Loaded models. */
  ps(): Promise<PsResponse> {
    return this.#json('/api/ps');
  }

  show(model: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#json('/api/show', { method: 'POST', body: { model } });
  }

  delete(model: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#json('/api/delete', { method: 'DELETE', body: { model } });
  }

  /** Statuses of a pull as they come; the last one is `success`. Throws PULL_FAILED when it fails midway. */
  pull(body: PullBody, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return this.#stream('/api/pull', body, options);
  }

  /** Makes a model; statuses as they come. */
  create(body: CreateBody, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return this.#stream('/api/create', body, options);
  }

  /** The same model under another name. */
  copy(source: string, destination: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#json('/api/copy', { method: 'POST', body: { source, destination }, isLong: true });
  }

  /** Compares the files of a model with their hashes; a status for each, then `success` or `damaged`. */
  verify(model: string, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return this.#stream('/api/verify', { model }, options);
  }

  /** Removes what no model needs, or with `dryRun` only tells. */
  prune(dryRun = false): Promise<PruneResponse> {
    return this.#json('/api/prune', { method: 'POST', body: { dry_run: dryRun }, isLong: true });
  }

  /** Frees a loaded model's memory; it is loaded again when it is needed. */
  unload(model: string): Promise<Readonly<Record<string, unknown>>> {
    return this.#json('/api/stop', { method: 'POST', body: { model } });
  }

  /** Whether a forecast body would be accepted, and what is wrong with it; throws only when nobody answers. */
  validate(body: unknown): Promise<ValidationResponse> {
    return this.#json('/api/validate', { method: 'POST', body });
  }

  /** One forecast for each series, in their order. */
  forecast(body: ForecastBody, options?: CallOptions): Promise<ForecastResponse> {
    return this.#json('/v1/forecast', { method: 'POST', body, isLong: true, ...options });
  }

  /** The same as lines of progress, the last of which carries the response. */
  forecastStream(body: ForecastBody, options?: CallOptions): AsyncGenerator<StreamEvent> {
    return this.#stream('/api/forecast', body, options);
  }

  async *#stream(
    path: string,
    body: unknown,
    options: CallOptions = {},
  ): AsyncGenerator<StreamEvent> {
    const response = await this.#request(path, { method: 'POST', body, isLong: true, ...options });
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of chunksOf(response)) {
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim()) yield this.#event(line);
    }
    if (rest.trim()) yield this.#event(rest);
  }

  #event(line: string): StreamEvent {
    const event = JSON.parse(line) as StreamEvent;
    if (event.error) {
      const { message, detail, hint } = event.error;
      const text = message ?? detailText(detail);
      throw new TollamaError('PULL_FAILED', text, hint === undefined ? {} : { hint });
    }
    return event;
  }
}
