/** Defaults by compatibility, and the hardening guide's profile of each environment (section 9 there). */

/** A part of the configuration, by the file's own names. */
export interface Layer {
  readonly [key: string]: unknown;
}

export const COMPATIBILITY: Readonly<Record<'original' | 'hardened', Layer>> = {
  original: {},
  hardened: {
    adapter: { retry_jitter: 'full' },
    interval_sanity: { rule: 'contained', warnings: 'once' },
    fallback: { horizon: 'widening' },
    cache: { negative_ttl_s: 10 },
    degradation: { degraded_retry_count: 0, degraded_timeout_s: 0.9 },
  },
};

interface Profile {
  readonly connect: number;
  readonly read: number;
  readonly pool: number;
  readonly deadline: number;
  readonly retries: number;
  readonly backoffCap: number;
  readonly connections: readonly [max: number, keptAlive: number, expirySeconds: number];
  readonly cache: readonly [ttl: number, staleIfError: number];
  readonly breaker: readonly [failures: number, cooldown: number, probes: number];
}

const profile = (given: Profile): Layer => ({
  compatibility: 'hardened',
  adapter: {
    // Of our own daemon.
    endpoint: '/v1/forecast',
    freq_style: 'pandas',
    connect_timeout_s: given.connect,
    read_timeout_s: given.read,
    write_timeout_s: given.connect,
    pool_timeout_s: given.pool,
    request_deadline_s: given.deadline,
    retry_count: given.retries,
    retry_backoff_base_s: 0.1,
    retry_backoff_cap_s: given.backoffCap,
    max_connections: given.connections[0],
    max_keepalive_connections: given.connections[1],
    keepalive_expiry_s: given.connections[2],
  },
  cache: { ttl_s: given.cache[0], stale_if_error_s: given.cache[1], revalidate_s: 20 },
  circuit_breaker: {
    window_s: 30,
    min_requests: given.breaker[0],
    failures_to_open: given.breaker[0],
    cooldown_s: given.breaker[1],
    cooldown_jitter: 0.2,
    half_open_probe_requests: given.breaker[2],
  },
  warmup: { enabled: true },
  registry: { enforce: true },
});

export const PROFILES: Readonly<Record<string, Layer>> = {
  dev: profile({
    connect: 0.5,
    read: 2,
    pool: 0.25,
    deadline: 2.5,
    retries: 1,
    backoffCap: 0.5,
    connections: [32, 16, 30],
    cache: [30, 60],
    breaker: [5, 15, 2],
  }),
  staging: profile({
    connect: 0.3,
    read: 1.5,
    pool: 0.2,
    deadline: 2,
    retries: 2,
    backoffCap: 0.8,
    connections: [128, 64, 45],
    cache: [60, 120],
    breaker: [8, 20, 3],
  }),
  prod: profile({
    connect: 0.25,
    read: 1.2,
    pool: 0.15,
    deadline: 1.8,
    retries: 2,
    backoffCap: 0.8,
    connections: [256, 128, 60],
    cache: [60, 180],
    breaker: [12, 30, 5],
  }),
};

const isLayer = (value: unknown): value is Layer =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Layers laid over each other, the later ones on top; blocks are merged, lists and values replaced. */
export const mergeLayers = (...layers: readonly Layer[]): Layer => {
  const merged: Record<string, unknown> = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const below = merged[key];
      if (value === undefined) continue;
      merged[key] = isLayer(below) && isLayer(value) ? mergeLayers(below, value) : value;
    }
  }
  return merged;
};
