/** Cases of what is sent to the upstream, and of attempts that fail. */
import { settingsFrom } from '@tollama/gateway/config/load';
import { UpstreamFailure } from '@tollama/gateway/upstream/failure';
import type { UpstreamTask } from '@tollama/gateway/upstream/payload';
import { type Post, TollamaUpstream } from '@tollama/gateway/upstream/tollama-upstream';
import type { RunnerCase } from '../tsfm-runner.ts';
import { originalLayer } from './original.ts';

const TASK: UpstreamTask = {
  model: 'chronos',
  modelVersion: 'unknown',
  series: [0.1, 0.2],
  horizon: 2,
  freq: '5m',
  levels: [0.1, 0.5, 0.9],
  pastCovariates: {},
  futureCovariates: {},
  params: {},
};

const FAILURES: Readonly<Record<string, () => UpstreamFailure>> = {
  timeout: () => new UpstreamFailure('RUNTIME_TIMEOUT', 'ReadTimeout', '', { isTransient: true }),
  drop: () =>
    new UpstreamFailure('RUNTIME_NETWORK', 'RemoteProtocolError', '', { isTransient: true }),
  connect: () => new UpstreamFailure('RUNTIME_NETWORK', 'ConnectError', '', { isTransient: true }),
};

type Script = readonly (number | string | object)[];

/** Plays a script; its last entry is repeated. */
const player = (script: Script) => {
  let attempts = 0;
  const post: Post = async () => {
    const step = script[Math.min(attempts++, script.length - 1)]!;
    if (typeof step === 'number') return { status: step, text: '{}' };
    if (step === 'badjson') return { status: 200, text: '{not json' };
    if (typeof step === 'string') throw FAILURES[step]!();
    return { status: 200, text: JSON.stringify(step) };
  };
  return { post, attempts: () => attempts };
};

const adapterSettings = (config: Readonly<Record<string, unknown>>) =>
  settingsFrom({ tsfm: originalLayer(config) }, {}).settings.tsfm.adapter;

export const retryCase = async ({ input }: RunnerCase): Promise<unknown> => {
  const settings = adapterSettings(input.config);
  const waits: number[] = [];
  const { post, attempts } = player(input.script);
  const upstream = new TollamaUpstream({
    settings: () => settings,
    random: () => input.random,
    clock: { now: () => 0, sleep: async (ms) => void waits.push(ms / 1000) },
    post,
  });
  const limits = { deadlineMs: Number.POSITIVE_INFINITY };
  const outcome = await upstream.forecast(TASK, limits).then(
    ({ quantiles, meta }) => ({
      ok: true,
      quantiles: Object.fromEntries(quantiles),
      raw_response_meta: meta,
    }),
    (failure: UpstreamFailure) => ({
      ok: false,
      error_prefix: failure.message.slice(0, 'tollama forecast failed'.length),
      cause: failure.kind,
    }),
  );
  return { attempts: attempts(), waits_s: waits, ...outcome };
};

export const upstreamPayloadCase = async ({ input, expected }: RunnerCase): Promise<unknown> => {
  const token = expected.auth?.replace('Bearer ', '') ?? null;
  const settings = { ...adapterSettings({}), endpoint: input.endpoint as string, token };
  let sent: unknown;
  const upstream = new TollamaUpstream({
    settings: () => settings,
    random: () => 0,
    clock: { now: () => Date.parse(input.now), sleep: async () => {} },
    post: async (url, body, headers) => {
      const auth = headers.authorization ?? null;
      sent = { body: JSON.parse(body), path: url.pathname, auth, ct: headers['content-type'] };
      return { status: 200, text: '{"quantiles": {"0.1": [1]}}' };
    },
  });
  const task: UpstreamTask = {
    model: input.model_name,
    modelVersion: input.model_version,
    series: input.series,
    horizon: input.horizon_steps,
    freq: input.freq,
    levels: input.quantiles,
    pastCovariates: input.x_past,
    futureCovariates: input.x_future,
    params: input.params,
  };
  await upstream.forecast(task, { deadlineMs: Number.POSITIVE_INFINITY });
  return sent;
};
