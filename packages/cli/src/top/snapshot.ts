/** What a daemon is doing now, from its own words: info, loaded models and metrics. */
import type { TollamaClient } from '@tollama/client';
import { parseExposition, type Sample, sumOf } from '@tollama/client/exposition';
import { type Histogram, histogramOf, quantileOf, since } from '@tollama/client/histogram';

const LATENCY = 'tollama_forecast_latency_seconds';
const INFERENCE = 'tollama_runner_inference_seconds';

export interface FamilyActivity {
  readonly family: string;
  readonly running: boolean;
  readonly working: number;
  readonly waiting: number;
  /** Mean time of a run; null before the first one. */
  readonly inference_ms: number | null;
  readonly resident_bytes: number | null;
  readonly restarts: number;
  readonly last_error: string | null;
}

export interface Activity {
  readonly url: string;
  readonly version: string;
  readonly uptime_seconds: number;
  readonly resident_bytes: number;
  readonly event_loop_delay_ms: number;
  readonly requests: {
    readonly total: number;
    readonly failed: number;
    /** Of the time since the last look, or since the daemon started. */
    readonly per_second: number;
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
  };
  readonly families: readonly FamilyActivity[];
  readonly models: readonly {
    readonly name: string;
    readonly family: string;
    readonly size: number;
    readonly expires_at: string | null;
  }[];
}

/** One look at the daemon, kept so that the next one can tell what happened in between. */
export interface Look {
  readonly atMs: number;
  readonly samples: readonly Sample[];
  readonly activity: Activity;
}

const isFailure = ({ status_class: status }: Sample['labels']): boolean =>
  status === '4xx' || status === '5xx';

const milliseconds = (seconds: number | undefined): number | null =>
  seconds === undefined ? null : Math.round(seconds * 100_000) / 100;

/** The histogram of the time between two looks; all of it for the first one, or when nothing came in between. */
const recent = (name: string, now: readonly Sample[], before: Look | undefined): Histogram => {
  const all = histogramOf(now, name);
  const latest = before ? since(all, histogramOf(before.samples, name)) : all;
  return latest.count > 0 ? latest : all;
};

const requestsOf = (
  samples: readonly Sample[],
  atMs: number,
  uptimeSeconds: number,
  before: Look | undefined,
): Activity['requests'] => {
  const total = sumOf(samples, 'tollama_forecast_requests_total');
  const earlier = before ? before.activity.requests.total : 0;
  // Counts that fell belong to a daemon that began anew.
  const count = total >= earlier ? total - earlier : total;
  const seconds = before ? (atMs - before.atMs) / 1000 : Math.max(1, uptimeSeconds);
  const latency = recent(LATENCY, samples, before);
  return {
    total,
    failed: sumOf(samples, 'tollama_forecast_requests_total', isFailure),
    per_second: Math.round((count / seconds) * 10) / 10,
    p50_ms: milliseconds(quantileOf(latency, 0.5)),
    p95_ms: milliseconds(quantileOf(latency, 0.95)),
  };
};

/** Looks at the daemon. Throws DAEMON_UNREACHABLE. */
export const look = async (
  client: TollamaClient,
  before: Look | undefined,
  signal: AbortSignal,
): Promise<Look> => {
  const options = { signal };
  const [info, ps, text] = await Promise.all([
    client.info(options),
    client.ps(options),
    client.metrics(options),
  ]);
  const atMs = performance.now();
  const samples = parseExposition(text);
  const families = info.runners
    .filter(({ running, last_used_at }) => running || last_used_at !== null)
    .map((runner): FamilyActivity => {
      const ofFamily = ({ family }: Sample['labels']): boolean => family === runner.family;
      const value = (name: string): number => sumOf(samples, name, ofFamily);
      const inference = histogramOf(samples, INFERENCE, ofFamily);
      return {
        family: runner.family,
        running: runner.running,
        working: value('tollama_queue_working'),
        waiting: value('tollama_queue_waiting'),
        inference_ms: inference.count > 0 ? milliseconds(inference.sum / inference.count) : null,
        resident_bytes: value('tollama_runner_resident_memory_bytes') || null,
        restarts: runner.restarts,
        last_error: runner.last_error?.message ?? null,
      };
    });
  const activity: Activity = {
    url: client.baseUrl,
    version: info.daemon.version,
    uptime_seconds: info.daemon.uptime_seconds,
    resident_bytes: sumOf(samples, 'process_resident_memory_bytes'),
    event_loop_delay_ms: milliseconds(sumOf(samples, 'nodejs_eventloop_lag_mean_seconds')) ?? 0,
    requests: requestsOf(samples, atMs, info.daemon.uptime_seconds, before),
    families,
    models: ps.models.map(({ name, details, size, expires_at }) => ({
      name,
      family: details.family,
      size,
      expires_at,
    })),
  };
  return { atMs, samples, activity };
};
