/** A gateway over a fake upstream, asked without a socket; the clock moves only when it is told to. */
import type { SharedTier } from '../cache/answer-cache.ts';
import { settingsFrom } from '../config/load.ts';
import { type Layer, mergeLayers } from '../config/profiles.ts';
import type { ConformalState } from '../conformal/state.ts';
import { Gateway } from '../gateway.ts';
import { createApp } from '../http/app.ts';
import { Desk } from '../http/desk.ts';
import { createLogger } from '../observe/log.ts';
import type { ForecastResponse } from '../pipeline/answer.ts';
import type { ModelRegistry } from '../registry/model-registry.ts';
import type { Clock } from '../resilience/clock.ts';
import { PooledPost, TollamaUpstream } from '../upstream/tollama-upstream.ts';
import { type FakeUpstream, openFakeUpstream } from './fake-upstream.ts';

export const TOKEN = 'test-secret';

export interface TestOptions {
  readonly tsfm?: Layer;
  readonly api?: Layer;
  readonly environment?: string;
  readonly shared?: SharedTier;
  readonly conformal?: ConformalState;
  readonly registry?: ModelRegistry;
}

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of any form
  readonly body: any;
  readonly headers: Headers;
}

export interface TestGateway extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly upstream: FakeUpstream;
  /** POST /tsfm/forecast of a sound request with these changes. */
  ask(changes?: Readonly<Record<string, unknown>>): Promise<Reply>;
  /** The same, which must succeed. */
  answer(changes?: Readonly<Record<string, unknown>>): Promise<ForecastResponse>;
  post(path: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
  get(path: string): Promise<Reply>;
  /** Moves the clock. */
  pass(seconds: number): void;
}

let asked = 0;

/** A sound request, of a market that no other has. */
export const soundRequest = (changes: Readonly<Record<string, unknown>> = {}) => ({
  market_id: `market-${asked++}`,
  as_of_ts: '2026-02-20T12:00:00Z',
  freq: '5m',
  horizon_steps: 3,
  y: Array.from({ length: 48 }, (_, i) => 0.3 + 0.005 * (i % 9)),
  ...changes,
});

const BASE: Layer = {
  adapter: { retry_count: 0, timeout_s: 5 },
  conformal: { state_path: 'none' },
};

const bodyOf = async (response: Response): Promise<unknown> => {
  const text = await response.text();
  return response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text;
};

export const openTestGateway = async (options: TestOptions = {}): Promise<TestGateway> => {
  const upstream = await openFakeUpstream();
  const adapter = { adapter: { base_url: upstream.url } };
  const { settings } = settingsFrom(
    {
      tsfm: mergeLayers(BASE, adapter, options.tsfm ?? {}),
      api: { tsfm_forecast: { rate_limit_per_minute: 0, ...options.api } },
    },
    options.environment === undefined ? {} : { TSFM_ENVIRONMENT: options.environment },
  );
  let nowMs = Date.UTC(2026, 1, 20);
  const pass = (seconds: number): void => {
    nowMs += seconds * 1000;
  };
  const clock: Clock = { now: () => nowMs, sleep: async (ms) => pass(ms / 1000) };
  let pool: PooledPost | undefined;
  const gateway = new Gateway({
    settings,
    clock,
    log: createLogger('silent'),
    random: () => 0.5,
    shared: options.shared,
    ...(options.conformal && { conformal: options.conformal }),
    ...(options.registry && { registry: options.registry }),
    upstream: (current) => {
      const settingsOf = () => current().tsfm.adapter;
      pool = new PooledPost(settingsOf);
      return new TollamaUpstream({
        settings: settingsOf,
        clock,
        random: () => 0.5,
        post: pool.post,
      });
    },
  });
  const app = createApp(new Desk(gateway, TOKEN));
  const post = async (
    path: string,
    body: unknown,
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` },
  ): Promise<Reply> => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await app.request(path, { method: 'POST', body: text, headers });
    return { status: response.status, headers: response.headers, body: await bodyOf(response) };
  };
  const ask = (changes?: Readonly<Record<string, unknown>>) =>
    post('/tsfm/forecast', soundRequest(changes));
  return {
    gateway,
    upstream,
    post,
    ask,
    async answer(changes) {
      const { status, body } = await ask(changes);
      if (status !== 200) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body;
    },
    async get(path) {
      const response = await app.request(path);
      return { status: response.status, headers: response.headers, body: await bodyOf(response) };
    },
    pass,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      pool?.[Symbol.dispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
};

/** The value of a metric whose line starts so, 0 when there is none. */
export const metric = async (test: TestGateway, start: string): Promise<number> => {
  const { body } = await test.get('/metrics');
  const line = (body as string).split('\n').find((one) => one.startsWith(start));
  return Number(line?.split(' ').at(-1) ?? 0);
};
