/** A gateway that behaves as the original did, with a clock and an upstream that the cases drive. */

import { settingsFrom } from '@tollama/gateway/config/load';
import { type Layer, mergeLayers } from '@tollama/gateway/config/profiles';
import { Gateway, type GatewayOptions } from '@tollama/gateway/gateway';
import { createLogger } from '@tollama/gateway/observe/log';
import type { ForecastResponse } from '@tollama/gateway/pipeline/answer';
import { responseOf } from '@tollama/gateway/pipeline/answer';
import { ForecastRequest } from '@tollama/gateway/request/forecast-request';
import type { Upstream } from '@tollama/gateway/upstream/tollama-upstream';

/** The names of the original's settings class, and where the configuration has them. */
const NAMES: Readonly<Record<string, readonly [block: string, key: string]>> = {
  adapter_timeout_s: ['adapter', 'timeout_s'],
  baseline_method: ['fallback', 'baseline_method'],
  baseline_only_enter_failure_rate: ['degradation', 'baseline_only_enter_failure_rate'],
  baseline_only_exit_failure_rate: ['degradation', 'baseline_only_exit_failure_rate'],
  baseline_only_liquidity: ['fallback', 'baseline_only_liquidity_bucket'],
  baseline_only_liquidity_bucket: ['fallback', 'baseline_only_liquidity_bucket'],
  degraded_enter_failure_rate: ['degradation', 'degraded_enter_failure_rate'],
  degraded_exit_failure_rate: ['degradation', 'degraded_exit_failure_rate'],
  max_gap_minutes: ['missing', 'max_gap_minutes'],
  max_interval_width: ['interval_sanity', 'max_width'],
  min_interval_width: ['interval_sanity', 'min_width'],
  min_points_for_tsfm: ['missing', 'min_points_for_tsfm'],
  route_baseline_segments: ['routing', 'baseline_segments'],
  route_default: ['routing', 'default_route'],
  route_enabled_segments: ['routing', 'enabled_segments'],
  target_coverage: ['conformal', 'target_coverage'],
};

/** Blocks whose keys the class writes with the block's name before them. */
const PREFIXED = ['cache', 'circuit_breaker', 'degradation', 'transform', 'conformal'] as const;

const placeOf = (name: string): readonly string[] => {
  if (Object.hasOwn(NAMES, name)) return NAMES[name]!;
  const block = PREFIXED.find((prefix) => name.startsWith(`${prefix}_`));
  if (block) return [block, name.slice(block.length + 1)];
  return name.startsWith('retry_') ? ['adapter', name] : [name];
};

/** What the original does where the contract asks for better. */
const AS_ORIGINAL: Layer = {
  compatibility: 'original',
  cache: { eviction: 'fifo', identity: 'original', store_failures: true, while_open: 'baseline' },
  fallback: { when_all_fail: 'band', try_others: false },
};

export const originalLayer = (config: Readonly<Record<string, unknown>>): Layer => {
  const layers = Object.entries(config).map(([name, value]): Layer => {
    const [block = name, key] = placeOf(name);
    return key === undefined ? { [block]: value } : { [block]: { [key]: value } };
  });
  return mergeLayers(AS_ORIGINAL, ...layers);
};

export interface VirtualClock {
  nowMs: number;
}

/** An unknown baseline is no valid configuration; the cases of a broken baseline put it in afterwards. */
const withMethod = (options: GatewayOptions, method: unknown): GatewayOptions => {
  const { settings } = options;
  if (typeof method !== 'string') return options;
  const fallback = { ...settings.tsfm.fallback, baseline_method: method as 'EWMA' };
  return { ...options, settings: { ...settings, tsfm: { ...settings.tsfm, fallback } } };
};

export const originalGateway = (
  config: Readonly<Record<string, unknown>>,
  upstream: Upstream,
  clock: VirtualClock,
  parts: Partial<GatewayOptions> = {},
): Gateway => {
  const { baseline_method: method, ...rest } = config;
  const { settings } = settingsFrom({ tsfm: originalLayer(rest) }, {});
  const options: GatewayOptions = {
    settings,
    upstream: () => upstream,
    log: createLogger('silent'),
    clock: { now: () => clock.nowMs, sleep: async () => {} },
    random: () => 0,
    ...parts,
  };
  return new Gateway(withMethod(options, method));
};

export const ask = async (gateway: Gateway, request: unknown): Promise<ForecastResponse> =>
  responseOf(await gateway.forecast(gateway.validate(ForecastRequest.parse(request))));
