/** Cases of one whole forecast, with an upstream that answers as the case says. */
import { conformalState } from '@tollama/gateway/conformal/state';
import { UpstreamFailure } from '@tollama/gateway/upstream/failure';
import type { Upstream } from '@tollama/gateway/upstream/tollama-upstream';
import type { RunnerCase } from '../tsfm-runner.ts';
import { ask, originalGateway } from './original.ts';

interface Recorded {
  calls: number;
  series: readonly number[] | null;
}

type Rows = Readonly<Record<string, readonly (number | string)[]>>;

const LATENCY_MS = 1;

const quantilesOf = (rows: Rows): Map<number, readonly number[]> =>
  new Map(Object.entries(rows).map(([level, row]) => [Number(level), row.map(Number)]));

const scripted = (adapter: RunnerCase['input'], seen: Recorded): Upstream => ({
  async forecast(task) {
    seen.calls++;
    seen.series = task.series;
    if (adapter.raises) {
      throw new UpstreamFailure('RUNTIME_NETWORK', adapter.raises, adapter.message, {
        reasonClass: adapter.raises,
      });
    }
    return { quantiles: quantilesOf(adapter.quantiles), meta: {}, latencyMs: LATENCY_MS };
  },
});

export const forecastCase = async ({ input }: RunnerCase): Promise<unknown> => {
  const { request, adapter, config, conformal } = input;
  const seen: Recorded = { calls: 0, series: null };
  const state = conformalState(conformal ?? undefined, {}, false);
  const clock = { nowMs: 0 };
  const gateway = originalGateway(config, scripted(adapter, seen), clock, { conformal: state });
  const response = await ask(gateway, request);
  return { response, adapter_calls: seen.calls, adapter_series: seen.series };
};
