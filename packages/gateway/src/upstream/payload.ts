/** What is sent to the upstream, in the form that its endpoint understands. */

export interface UpstreamTask {
  readonly model: string;
  readonly modelVersion: string;
  /** In the space of the transform, oldest first. */
  readonly series: readonly number[];
  /** Of the series, where the request gave them. */
  readonly timestamps?: readonly string[] | undefined;
  readonly horizon: number;
  readonly freq: string;
  readonly levels: readonly number[];
  readonly pastCovariates: Readonly<Record<string, readonly number[]>>;
  readonly futureCovariates: Readonly<Record<string, readonly number[]>>;
  readonly params: Readonly<Record<string, unknown>>;
}

const OLLAMA_STYLE: ReadonlySet<string> = new Set(['/v1/forecast', '/api/forecast']);

const DEFAULT_PERIOD_SECONDS = 300;

const periodSeconds = (freq: string): number => {
  const match = /^\s*([+-]?\d+)([mh])\s*$/i.exec(freq);
  if (!match) return DEFAULT_PERIOD_SECONDS;
  return Math.max(1, Number(match[1])) * (match[2]!.toLowerCase() === 'h' ? 3600 : 60);
};

/** `count` times that end now, whole seconds, UTC. */
const timestampsUntil = (nowMs: number, count: number, freq: string): string[] => {
  const end = Math.floor(nowMs / 1000);
  const period = periodSeconds(freq);
  return Array.from({ length: count }, (_, i) =>
    new Date((end - (count - 1 - i) * period) * 1000).toISOString().replace('.000Z', 'Z'),
  );
};

const orNull = <T extends object>(columns: T): T | null =>
  Object.keys(columns).length === 0 ? null : columns;

/** `5m` as pandas has it, where m is no unit: `5min`. */
export const pandasFrequency = (freq: string): string =>
  freq
    .trim()
    .toLowerCase()
    .replace(/^([+-]?\d+)m$/, '$1min');

/** The body for an endpoint: a list of series with timestamps, or one series of plain numbers. */
export const upstreamBody = (endpoint: string, task: UpstreamTask, nowMs: number): unknown => {
  const { model, modelVersion, series, horizon, freq, levels, params } = task;
  const { pastCovariates, futureCovariates } = task;
  if (!OLLAMA_STYLE.has(endpoint)) {
    return {
      model,
      model_version: modelVersion,
      series,
      horizon_steps: horizon,
      freq,
      quantiles: levels,
      x_past: pastCovariates,
      x_future: futureCovariates,
      params,
    };
  }
  const one = {
    id: 'series-0',
    freq,
    timestamps: task.timestamps ?? timestampsUntil(nowMs, series.length, freq),
    target: series,
    past_covariates: orNull(pastCovariates),
    future_covariates: orNull(futureCovariates),
  };
  return { model, horizon, quantiles: levels, series: [one], options: params, parameters: {} };
};
