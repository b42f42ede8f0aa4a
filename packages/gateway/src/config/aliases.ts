/** Other names of settings: those of the hardening guide, and of the original's older files. */
import type { Layer } from './profiles.ts';

interface Alias {
  /** Block and key. */
  readonly to: readonly [block: string, key: string];
  readonly scale?: number;
}

const MS = 0.001;

/** Keys that stand directly in `tsfm` or in an environment. */
const FLAT: Readonly<Record<string, Alias>> = {
  connect_timeout_s: { to: ['adapter', 'connect_timeout_s'] },
  read_timeout_s: { to: ['adapter', 'read_timeout_s'] },
  write_timeout_s: { to: ['adapter', 'write_timeout_s'] },
  pool_timeout_s: { to: ['adapter', 'pool_timeout_s'] },
  timeout_s: { to: ['adapter', 'timeout_s'] },
  request_deadline_s: { to: ['adapter', 'request_deadline_s'] },
  deadline_budget_ms: { to: ['adapter', 'request_deadline_s'], scale: MS },
  retry_count: { to: ['adapter', 'retry_count'] },
  retry_backoff_base_ms: { to: ['adapter', 'retry_backoff_base_s'], scale: MS },
  retry_backoff_cap_ms: { to: ['adapter', 'retry_backoff_cap_s'], scale: MS },
  max_connections: { to: ['adapter', 'max_connections'] },
  max_keepalive_connections: { to: ['adapter', 'max_keepalive_connections'] },
  keepalive_expiry_s: { to: ['adapter', 'keepalive_expiry_s'] },
  cache_ttl_s: { to: ['cache', 'ttl_s'] },
  cache_stale_if_error_s: { to: ['cache', 'stale_if_error_s'] },
  stale_if_error_s: { to: ['cache', 'stale_if_error_s'] },
  breaker_failures_30s: { to: ['circuit_breaker', 'failures_to_open'] },
  circuit_breaker_failures: { to: ['circuit_breaker', 'failures_to_open'] },
  breaker_cooldown_s: { to: ['circuit_breaker', 'cooldown_s'] },
  circuit_breaker_cooldown_s: { to: ['circuit_breaker', 'cooldown_s'] },
  breaker_half_open_probe: { to: ['circuit_breaker', 'half_open_probe_requests'] },
  baseline_only_liquidity_bucket: { to: ['fallback', 'baseline_only_liquidity_bucket'] },
  baseline_method: { to: ['fallback', 'baseline_method'] },
  min_interval_width: { to: ['interval_sanity', 'min_width'] },
  max_interval_width: { to: ['interval_sanity', 'max_width'] },
};

/** Keys of a block under another name in the same block. */
const INNER: Readonly<
  Record<string, Readonly<Record<string, readonly [key: string, scale?: number]>>>
> = {
  adapter: {
    retry_backoff_ms: ['retry_backoff_base_s', MS],
    retry_backoff_base_ms: ['retry_backoff_base_s', MS],
    retry_backoff_cap_ms: ['retry_backoff_cap_s', MS],
    retry_jitter_ms: ['retry_jitter_s', MS],
    deadline_budget_ms: ['request_deadline_s', MS],
  },
  cache: { stale_while_revalidate_s: ['stale_if_error_s'] },
  circuit_breaker: {
    breaker_failures_30s: ['failures_to_open'],
    circuit_breaker_failures: ['failures_to_open'],
    failures: ['failures_to_open'],
    half_open_probe: ['half_open_probe_requests'],
  },
};

const scaled = (value: unknown, scale: number | undefined): unknown =>
  scale === undefined || value === null || Number.isNaN(Number(value))
    ? value
    : Number(value) * scale;

const isBlock = (value: unknown): value is Layer =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const renameInner = (block: string, given: Layer): Layer => {
  const names = INNER[block] ?? {};
  const entries = Object.entries(given).map(([key, value]): [string, unknown] => {
    const found = Object.hasOwn(names, key) ? names[key] : undefined;
    return found && !Object.hasOwn(given, found[0])
      ? [found[0], scaled(value, found[1])]
      : [key, value];
  });
  return Object.fromEntries(entries);
};

/** The layer by the names of the schema. A name that is given itself wins over its aliases. */
export const withoutAliases = (layer: Layer): Layer => {
  const blocks: Record<string, Record<string, unknown>> = {};
  const rest: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(layer)) {
    const alias = Object.hasOwn(FLAT, key) ? FLAT[key] : undefined;
    if (alias && !isBlock(value)) {
      const [block, inner] = alias.to;
      blocks[block] = { ...blocks[block], [inner]: scaled(value, alias.scale) };
      if (key.endsWith('_30s')) blocks[block] = { window_s: 30, ...blocks[block] };
    } else rest[key] = isBlock(value) ? renameInner(key, value) : value;
  }
  for (const [block, values] of Object.entries(blocks)) {
    rest[block] = { ...values, ...(isBlock(rest[block]) ? rest[block] : {}) };
  }
  return rest;
};
