/** Cases of several requests over time: cache, breaker, degradation. */
import { UpstreamFailure } from '@tollama/gateway/upstream/failure';
import type { Upstream } from '@tollama/gateway/upstream/tollama-upstream';
import type { RunnerCase } from '../tsfm-runner.ts';
import { ask, originalGateway } from './original.ts';

interface Step {
  readonly t: number;
  readonly upstream: 'ok' | 'fail';
  readonly key: string;
}

const SERIES = Array.from({ length: 40 }, (_, i) => 0.4 + 0.01 * (i % 3));

const requestOf = ({ key }: Step) => ({
  market_id: key,
  as_of_ts: '2026-02-20T12:00:00Z',
  horizon_steps: 1,
  y: SERIES,
});

export const timelineCase = async ({ input }: RunnerCase): Promise<unknown> => {
  let mode: Step['upstream'] = 'ok';
  let calls = 0;
  const upstream: Upstream = {
    async forecast() {
      calls++;
      if (mode === 'fail') {
        const reasonClass = 'RuntimeError';
        throw new UpstreamFailure('RUNTIME_NETWORK', reasonClass, 'down', { reasonClass });
      }
      const quantiles = new Map([0.1, 0.5, 0.9].map((level) => [level, [level]]));
      return { quantiles, meta: {}, latencyMs: 1 };
    },
  };
  const clock = { nowMs: 0 };
  const gateway = originalGateway(input.config, upstream, clock);
  const seen: unknown[] = [];
  for (const step of input.steps as readonly Step[]) {
    clock.nowMs = step.t * 1000;
    mode = step.upstream;
    const before = calls;
    const { meta } = await ask(gateway, requestOf(step));
    seen.push({
      called: calls > before,
      runtime: meta.runtime,
      fallback_used: meta.fallback_used,
      fallback_reason: meta.fallback_reason ?? null,
      cache_hit: meta.cache_hit,
      cache_stale: meta.cache_stale,
      meta_breaker: meta.circuit_breaker_state,
      meta_degradation: meta.degradation_state,
      breaker_after: gateway.parts.breaker.state,
      degradation_after: gateway.parts.degradation.state,
    });
  }
  return seen;
};
