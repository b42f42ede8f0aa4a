/**
 * Every setting of the gateway, by the names of its configuration file (contract, section 11). The original's
 * file is read as it is; keys of the hardening guide join it. This is the one place of a setting's type,
 * meaning and default.
 */
import { z } from 'zod';
import { isFrequency } from '../request/frequency.ts';

/** YAML 1.1 readers give 1e-6 as text; so may the environment. */
const numeric = (value: unknown): unknown =>
  typeof value === 'string' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : value;

/** YAML 1.1, which the original reads, has more words for them; the environment has 1 and 0. */
const WORDS: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...[1, '1', 'true', 'yes', 'on'].map((word): [unknown, boolean] => [word, true]),
  ...[0, '0', 'false', 'no', 'off'].map((word): [unknown, boolean] => [word, false]),
]);
const yesOrNo = (byDefault: boolean) =>
  z
    .preprocess(
      (value) => WORDS.get(typeof value === 'string' ? value.trim().toLowerCase() : value) ?? value,
      z.boolean(),
    )
    .default(byDefault);

const number = (min = 0, max = Number.MAX_VALUE) =>
  z.preprocess(numeric, z.number().min(min).max(max));
const count = (min = 0) => z.preprocess(numeric, z.int().min(min));
const rate = () => number(0, 1);
/** Timers hold no more than 2^31 ms. */
const MAX_SECONDS = 2_147_483;
const seconds = () => number(0, MAX_SECONDS);
/** Of a call: without any time nothing can be asked. */
const timeout = () => number(0.001, MAX_SECONDS);
const optional = <T extends z.ZodType>(type: T) => type.optional();
const segments = () => z.array(z.string()).default([]);

const Quantiles = z
  .array(number(0, 1))
  .min(1)
  .transform((levels) => [...new Set(levels)].sort((a, b) => a - b))
  .refine((levels) => levels.every((level) => level > 0 && level < 1), {
    error: 'quantile levels lie between 0 and 1',
  });

const Frequency = z.string().refine(isFrequency, { error: 'a period such as 5m or 1h' });

const Adapter = z.object({
  base_url: z.url({ protocol: /^https?$/ }).default('http://localhost:11435'),
  endpoint: z.string().startsWith('/').default('/v1/timeseries/forecast'),
  /** One of digits only is no number. */
  token: z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), z.string())
    .nullish(),
  /** How freq is written to the upstream: as it was asked (5m), or as pandas and our daemon write it (5min). */
  freq_style: z.enum(['asked', 'pandas']).default('asked'),
  /** Stands for each of the four timeouts that is not given. */
  timeout_s: timeout().default(1.2),
  connect_timeout_s: optional(timeout()),
  write_timeout_s: optional(timeout()),
  /** From the request's last byte to the answer's. */
  read_timeout_s: optional(timeout()),
  /** Waiting for a connection of the pool. */
  pool_timeout_s: optional(timeout()),
  /** For the whole request; by default what the timeouts and the waits between attempts come to. */
  request_deadline_s: optional(timeout()),
  retry_count: count().default(1),
  retry_backoff_base_s: seconds().default(0.12),
  retry_backoff_cap_s: seconds().default(0.8),
  retry_jitter_s: seconds().default(0.08),
  /** additive: backoff + random * retry_jitter_s; full: random * backoff. */
  retry_jitter: z.enum(['additive', 'full']).default('additive'),
  max_connections: count(1).default(200),
  max_keepalive_connections: count().default(50),
  keepalive_expiry_s: seconds().default(5),
});

const L2 = z.object({
  /** redis, rediss (TLS), valkey, valkeys; host:port, or the path of a socket. */
  url: z.string().regex(/^((redis|valkey)s?:\/\/.|(?!.*:\/\/).)/i, {
    error: 'write an address such as redis://cache:6379',
  }),
  prefix: z.string().default('tsfm:'),
  /** A slower answer counts as a miss. */
  timeout_ms: number(1, MAX_SECONDS * 1000).default(50),
});

const Cache = z.object({
  ttl_s: seconds().default(60),
  stale_if_error_s: seconds().default(120),
  /** After its ttl an answer is still served for so long while a new one is fetched. */
  revalidate_s: seconds().default(0),
  /** How long a refused body is refused again unread. */
  negative_ttl_s: seconds().default(0),
  max_entries: count().default(50_000),
  max_bytes: count().default(128 * 1024 * 1024),
  eviction: z.enum(['lru', 'fifo']).default('lru'),
  /** original: y_ts and max_gap_minutes are no part of a request's identity. */
  identity: z.enum(['full', 'original']).default('full'),
  /** Whether an answer that a failure forced is kept as a fresh one. */
  store_failures: yesOrNo(false),
  /** What an open breaker answers where a stale answer exists. */
  while_open: z.enum(['stale', 'baseline']).default('stale'),
  l2: L2.nullish(),
});

const CircuitBreaker = z.object({
  window_s: number(0.001).default(300),
  min_requests: count(1).default(5),
  failure_rate_to_open: rate().default(1),
  /** Failures in the window that open, whatever the rate. */
  failures_to_open: optional(count(1)),
  cooldown_s: seconds().default(120),
  cooldown_jitter: rate().default(0),
  half_open_probe_requests: count(1).default(2),
  half_open_successes_to_close: count(1).default(2),
});

const Degradation = z.object({
  window_s: number(0.001).default(300),
  min_requests: count(1).default(5),
  degraded_enter_failure_rate: rate().default(0.3),
  baseline_only_enter_failure_rate: rate().default(0.7),
  degraded_exit_failure_rate: rate().default(0.15),
  baseline_only_exit_failure_rate: rate().default(0.25),
  probe_every_n_requests: count(1).default(1),
  /** What `degraded` does to calls; by default nothing. */
  degraded_retry_count: optional(count()),
  degraded_timeout_s: optional(timeout()),
});

const Warmup = z.object({
  enabled: yesOrNo(false),
  /** Models to keep warm; by default those that were asked for. */
  models: z.array(z.string()).default([]),
  every_s: number(1, MAX_SECONDS).default(180),
  /** A model that nobody asked for that long is left alone. */
  active_s: number(1).default(1800),
  timeout_s: number(0.1, MAX_SECONDS).default(30),
  /** Ready before the models are warm; what is asked until then may get a baseline. */
  allow_baseline_only: yesOrNo(false),
});

const Sink = z.object({
  /** Folder of the files, one or more for each market and day; none: nothing is written. */
  path: z.string().nullish(),
  /** parquet: journals of JSON lines become Parquet files when they are full, old, or of a day that is over. */
  format: z.enum(['jsonl', 'parquet']).default('jsonl'),
  rotate_rows: count(1).default(20_000),
  rotate_s: number(1, MAX_SECONDS).default(3600),
  flush_s: number(0.01, MAX_SECONDS).default(1),
  max_pending: count(1).default(10_000),
});

const Evaluation = z.object({
  /** Forecasts that wait for what came true. */
  max_pending: count(1).default(20_000),
  /** Latest realised values that the scores are over. */
  window: count(1).default(2_000),
  min_samples: count(1).default(50),
  /** Standard errors between coverage and target that count as drift. */
  drift_sigmas: number(0.1).default(3),
});

const Registry = z.object({
  /** tsfm_models.yaml; none: licences of the built-in registry. */
  path: z.string().nullish(),
  enforce: yesOrNo(false),
  /** What a model that is not allowed gets. */
  on_violation: z.enum(['baseline', 'refuse']).default('baseline'),
});

export const TsfmSettings = z.object({
  /**
   * original: numbers and warnings as the original service gave them. hardened: what the hardening guide
   * asks for. It sets defaults only; each can be set by itself.
   */
  compatibility: z.enum(['original', 'hardened']).default('original'),
  rollout_stage: z.string().default('unknown'),
  freq: Frequency.default('5m'),
  input_len_steps: count(2).default(288),
  horizon_steps: count(1).default(12),
  quantiles: Quantiles.prefault([0.1, 0.5, 0.9]),
  limits: z
    .object({
      max_points: count(2).default(20_000),
      max_horizon_steps: count(1).default(10_000),
      max_body_bytes: count(1).default(10 * 1024 * 1024),
    })
    .prefault({}),
  transform: z
    .object({
      space: z.string().default('logit'),
      eps: number(Number.MIN_VALUE, 0.499).default(1e-6),
    })
    .prefault({}),
  missing: z
    .object({
      max_gap_minutes: number().default(60),
      min_points_for_tsfm: count().default(32),
      /** What max_gap_minutes of a request is: the gap that was observed, or a limit that tightens. */
      request_gap: z.enum(['observed', 'limit']).default('observed'),
    })
    .prefault({}),
  adapter: Adapter.prefault({}),
  cache: Cache.prefault({}),
  circuit_breaker: CircuitBreaker.prefault({}),
  degradation: Degradation.prefault({}),
  perf: z
    .object({
      /** By default adapter.max_connections. */
      worker_concurrency: optional(count(1)),
      per_market_inflight_limit: count().default(0),
      /** By default the rest of the deadline. */
      queue_timeout_ms: optional(number(0, MAX_SECONDS * 1000)),
      max_queue: count().default(1000),
    })
    .prefault({}),
  fallback: z
    .object({
      baseline_method: z
        .string()
        .transform((name) => name.toUpperCase())
        .pipe(z.enum(['EWMA', 'KALMAN', 'ROLLING_QUANTILE']))
        .default('EWMA'),
      baseline_only_liquidity_bucket: z.string().default('low'),
      /** flat: the last step's band at every step; widening: each step's own. */
      horizon: z.enum(['flat', 'widening']).default('flat'),
      /** When no baseline can be computed: a typed error, or the original's band of minimal width. */
      when_all_fail: z.enum(['error', 'band']).default('error'),
      /** Whether the other methods are tried when the configured one fails. */
      try_others: yesOrNo(true),
    })
    .prefault({}),
  interval_sanity: z
    .object({
      min_width: rate().default(0.02),
      max_width: rate().default(0.6),
      rule: z.enum(['centred', 'contained']).default('centred'),
      /** One warning for each step that was changed, or one of a kind. */
      warnings: z.enum(['per_step', 'once']).default('per_step'),
    })
    .prefault({}),
  conformal: z
    .object({
      state_path: z.string().default('data/derived/calibration/conformal_state.json'),
      target_coverage: rate().default(0.9),
    })
    .prefault({}),
  routing: z
    .object({
      default_route: z.enum(['tsfm', 'baseline']).default('tsfm'),
      enabled_segments: segments(),
      baseline_segments: segments(),
    })
    .prefault({}),
  slo: z
    .object({
      per_request_p95_ms: number().default(300),
      cycle_top_n_seconds: number().default(60),
    })
    .prefault({}),
  warmup: Warmup.prefault({}),
  sink: Sink.prefault({}),
  tracing: z
    .object({
      /** OTLP/HTTP collector that spans are sent to, where OTEL_EXPORTER_OTLP_ENDPOINT names none. */
      endpoint: z.url().nullish(),
    })
    .prefault({}),
  evaluation: Evaluation.prefault({}),
  registry: Registry.prefault({}),
});
export type TsfmSettings = z.infer<typeof TsfmSettings>;

export const ApiSettings = z.object({
  require_auth: yesOrNo(true),
  /** The environment variable that holds the inbound token. */
  token_env_var: z.string().default('TSFM_FORECAST_API_TOKEN'),
  /** 0: no limit. */
  rate_limit_per_minute: z.preprocess(numeric, z.number()).default(6),
  host: z.string().default('127.0.0.1'),
  port: z.preprocess(numeric, z.int().min(0).max(65_535)).default(8000),
  /** Seconds that a stopping gateway waits for requests under way. */
  drain_s: seconds().default(10),
});
export type ApiSettings = z.infer<typeof ApiSettings>;

export interface GatewaySettings {
  /** dev, staging, prod, or undefined for a file without environments. */
  readonly environment: string | undefined;
  readonly tsfm: TsfmSettings;
  readonly api: ApiSettings;
}
