/** Counters of a process: how often and how long models were loaded, and what sessions did. */

export interface LoadStatistics {
  readonly load_count: number;
  readonly load_time_ms_total: number;
  readonly per_adapter: Readonly<
    Record<string, { readonly load_count: number; readonly load_time_ms_total: number }>
  >;
}

interface Counters {
  readonly loads: Map<string, { count: number; ms: number }>;
  sessionReuse: number;
  temporarySessions: number;
  outOfMemory: number;
  batches: number;
  batchMs: number;
}

const fresh = (): Counters => ({
  loads: new Map(),
  sessionReuse: 0,
  temporarySessions: 0,
  outOfMemory: 0,
  batches: 0,
  batchMs: 0,
});

let counters = fresh();

export const countLoad = (adapter: string, ms: number): void => {
  const known = counters.loads.get(adapter) ?? { count: 0, ms: 0 };
  counters.loads.set(adapter, { count: known.count + 1, ms: known.ms + ms });
};

export const countSessionReuse = (): void => {
  counters.sessionReuse++;
};

export const countTemporarySession = (): void => {
  counters.temporarySessions++;
};

export const countOutOfMemory = (): void => {
  counters.outOfMemory++;
};

export const countBatch = (ms: number): void => {
  counters.batches++;
  counters.batchMs += ms;
};

export const loadStatistics = (): LoadStatistics => {
  const entries = [...counters.loads].map(([name, { count, ms }]) => [
    name,
    { load_count: count, load_time_ms_total: ms },
  ]);
  const all = [...counters.loads.values()];
  return {
    load_count: all.reduce((sum, { count }) => sum + count, 0),
    load_time_ms_total: all.reduce((sum, { ms }) => sum + ms, 0),
    per_adapter: Object.fromEntries(entries),
  };
};

/** The metrics of the refactor plan, under its names. */
export const sessionMetrics = () => ({
  tsfm_model_load_count: Object.fromEntries(
    [...counters.loads].map(([name, { count }]) => [name, count]),
  ),
  tsfm_model_load_ms_sum: Object.fromEntries(
    [...counters.loads].map(([name, { ms }]) => [name, ms]),
  ),
  session_reuse_count: counters.sessionReuse,
  temporary_session_count: counters.temporarySessions,
  forecast_batch_count: counters.batches,
  forecast_batch_ms: counters.batchMs,
  oom_events: counters.outOfMemory,
});

export const resetSessionMetrics = (): void => {
  counters = fresh();
};
