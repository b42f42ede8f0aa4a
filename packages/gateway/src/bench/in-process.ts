/** The pipeline alone, one request after the other, over an upstream of a fixed latency. */
import { setTimeout as sleep } from 'node:timers/promises';
import { settingsFrom } from '../config/load.ts';
import { Gateway } from '../gateway.ts';
import { createLogger } from '../observe/log.ts';
import { responseOf } from '../pipeline/answer.ts';
import { ForecastRequest } from '../request/forecast-request.ts';
import type { Upstream } from '../upstream/tollama-upstream.ts';
import type { Measured } from './report.ts';
import { benchQuantiles, benchRequest } from './requests.ts';

export interface BenchTask {
  readonly requests: number;
  readonly unique: number;
  readonly adapterLatencyMs: number;
}

const slowUpstream = (latencyMs: number): Upstream => {
  const rows = Object.entries(benchQuantiles());
  const quantiles = new Map(rows.map(([level, row]) => [Number(level), row]));
  return {
    async forecast() {
      await sleep(latencyMs);
      return { quantiles, meta: {}, latencyMs };
    },
  };
};

export const benchInProcess = async (task: BenchTask): Promise<Measured> => {
  const { settings } = settingsFrom({}, {});
  await using gateway = new Gateway({
    settings,
    log: createLogger('silent'),
    upstream: () => slowUpstream(task.adapterLatencyMs),
  });
  const bodies = Array.from({ length: task.unique }, (_, i) => benchRequest(i));
  const latenciesMs: number[] = [];
  let hits = 0;
  let fallbacks = 0;
  const started = performance.now();
  for (let i = 0; i < task.requests; i++) {
    const asked = performance.now();
    const request = ForecastRequest.parse(bodies[i % bodies.length]);
    const answer = await gateway.forecast(gateway.validate(request));
    latenciesMs.push(performance.now() - asked);
    const { meta } = responseOf(answer);
    if (meta.cache_hit) hits++;
    if (meta.fallback_used) fallbacks++;
  }
  const elapsedS = (performance.now() - started) / 1000;
  return { requests: task.requests, unique: task.unique, elapsedS, latenciesMs, hits, fallbacks };
};
