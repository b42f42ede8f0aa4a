/** The upstream: a tollama daemon, asked with retries within one deadline. */
import { activeTraceHeaders, inSpan } from '@tollama/telemetry';
import type { TsfmSettings } from '../config/schema.ts';
import type { Clock } from '../resilience/clock.ts';
import { readAnswer, type UpstreamAnswer } from './answer.ts';
import { backoffMs } from './backoff.ts';
import { statusFailure, UpstreamFailure, withoutLogin } from './failure.ts';
import { type UpstreamTask, upstreamBody } from './payload.ts';
import { type PhaseLimits, Transport } from './transport.ts';

export type AdapterSettings = TsfmSettings['adapter'];

export interface CallLimits {
  /** On the clock. */
  readonly deadlineMs: number;
  /** Attempts after the first; the setting's where absent. */
  readonly retryCount?: number | undefined;
  /** Bounds each attempt further. */
  readonly timeoutMs?: number | undefined;
  /** A cold model may take as long as the deadline allows. */
  readonly isWarmup?: boolean;
}

export interface UpstreamSuccess extends UpstreamAnswer {
  /** Of the last attempt. */
  readonly latencyMs: number;
}

export interface Upstream {
  /** Throws UpstreamFailure. */
  forecast(task: UpstreamTask, limits: CallLimits): Promise<UpstreamSuccess>;
}

/** Sends one body; the part of the upstream that tests replace. */
export type Post = (
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  limits: PhaseLimits,
) => Promise<{ readonly status: number; readonly text: string }>;

export interface UpstreamParts {
  readonly settings: () => AdapterSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly post: Post;
}

/** The four limits of an attempt in ms, from what is set. */
const phaseLimits = (settings: AdapterSettings, totalMs: number): PhaseLimits => {
  const ms = (given: number | undefined): number => (given ?? settings.timeout_s) * 1000;
  return {
    poolMs: ms(settings.pool_timeout_s),
    connectMs: ms(settings.connect_timeout_s),
    writeMs: ms(settings.write_timeout_s),
    readMs: ms(settings.read_timeout_s),
    totalMs,
  };
};

/** What attempts and waits can come to at worst: the deadline where none is set. */
export const worstCaseMs = (settings: AdapterSettings): number => {
  const { poolMs, connectMs, writeMs, readMs } = phaseLimits(settings, 0);
  const isSplit = settings.read_timeout_s !== undefined;
  const attempt = isSplit ? poolMs + connectMs + writeMs + readMs : settings.timeout_s * 1000;
  const waits = Array.from({ length: settings.retry_count }, (_, i) =>
    backoffMs(backoffOf(settings), i, 1),
  );
  return (settings.retry_count + 1) * attempt + waits.reduce((sum, wait) => sum + wait, 0);
};

const backoffOf = (settings: AdapterSettings) => ({
  baseMs: settings.retry_backoff_base_s * 1000,
  capMs: settings.retry_backoff_cap_s * 1000,
  jitterMs: settings.retry_jitter_s * 1000,
  jitter: settings.retry_jitter,
});

export const deadlineOf = (settings: AdapterSettings): number =>
  settings.request_deadline_s === undefined
    ? worstCaseMs(settings)
    : settings.request_deadline_s * 1000;

const failureText = ({ kind, message }: UpstreamFailure): string =>
  `tollama forecast failed: ${kind}: ${message}`;

export class TollamaUpstream implements Upstream {
  readonly #parts: UpstreamParts;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
  }

  async forecast(task: UpstreamTask, limits: CallLimits): Promise<UpstreamSuccess> {
    const { settings: read, clock, random } = this.#parts;
    const settings = read();
    const attempts = (limits.retryCount ?? settings.retry_count) + 1;
    const body = JSON.stringify(upstreamBody(settings.endpoint, task, clock.now()));
    for (let attempt = 0; ; attempt++) {
      const leftMs = limits.deadlineMs - clock.now();
      const totalMs = Math.min(leftMs, limits.timeoutMs ?? leftMs);
      const phases = phaseLimits(settings, totalMs);
      try {
        return await this.#attempt(
          settings,
          body,
          limits.isWarmup ? { ...phases, readMs: totalMs } : phases,
        );
      } catch (thrown) {
        const failure = asFailure(thrown);
        const waitMs = backoffMs(backoffOf(settings), attempt, random());
        const isLast = attempt + 1 >= attempts || !failure.isTransient;
        // A wait that outlasts the deadline would only make the caller's fallback later.
        if (isLast || clock.now() + waitMs >= limits.deadlineMs) throw told(failure);
        await clock.sleep(waitMs);
      }
    }
  }

  async #attempt(
    settings: AdapterSettings,
    body: string,
    limits: PhaseLimits,
  ): Promise<UpstreamSuccess> {
    const { clock, post } = this.#parts;
    const url = new URL(settings.base_url.replace(/\/+$/, '') + settings.endpoint);
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (settings.token) headers.authorization = `Bearer ${settings.token}`;
    const started = clock.now();
    const attributes = { 'http.request.method': 'POST', 'url.full': withoutLogin(url) };
    return inSpan(`POST ${url.pathname}`, { kind: 'client', attributes }, async (span) => {
      const answer = await post(url, body, { ...headers, ...activeTraceHeaders() }, limits);
      span?.set({ 'http.response.status_code': answer.status });
      if (answer.status < 200 || answer.status > 299)
        throw statusFailure(answer.status, withoutLogin(url));
      return { ...readAnswer(answer.text), latencyMs: clock.now() - started };
    });
  }
}

const asFailure = (thrown: unknown): UpstreamFailure =>
  thrown instanceof UpstreamFailure
    ? thrown
    : new UpstreamFailure('RUNTIME_NETWORK', 'Error', String(thrown), { cause: thrown });

/** The failure with the text that clients are told. */
const told = (failure: UpstreamFailure): UpstreamFailure =>
  new UpstreamFailure(failure.code, failure.kind, failureText(failure), {
    isTransient: failure.isTransient,
    reasonClass: failure.reasonClass,
    cause: failure,
  });

/** Posts over a pool that follows the settings: another address or size makes another pool. */
export class PooledPost implements Disposable {
  readonly #settings: () => AdapterSettings;
  #transport: Transport | undefined;
  #madeFor = '';

  constructor(settings: () => AdapterSettings) {
    this.#settings = settings;
  }

  readonly post: Post = (url, body, headers, limits) =>
    this.#current().post({ url, body, headers, limits });

  #current(): Transport {
    const settings = this.#settings();
    const { base_url, max_connections, max_keepalive_connections, keepalive_expiry_s } = settings;
    const key = [base_url, max_connections, max_keepalive_connections, keepalive_expiry_s].join();
    if (this.#transport && key === this.#madeFor) return this.#transport;
    // Calls under way keep the old pool until they end; its idle connections expire.
    this.#madeFor = key;
    this.#transport = new Transport(base_url.startsWith('https:'), {
      maxConnections: max_connections,
      maxKeepAlive: max_keepalive_connections,
      keepAliveExpiryMs: keepalive_expiry_s * 1000,
    });
    return this.#transport;
  }

  [Symbol.dispose](): void {
    this.#transport?.[Symbol.dispose]();
  }
}
