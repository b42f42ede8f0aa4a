/** A forecast for a caller: run, counted for the caller's key, and told to those who listen. */
import type { ForecastRequest } from '@tollama/core/forecast-request';
import type { ForecastResponse } from '@tollama/core/forecast-response';
import type { RepairReport } from '@tollama/core/ingest-options';
import type { Context } from 'hono';
import type { DaemonContext } from '../context.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { repairWarnings } from '../ingest/read-table.ts';
import type { ResolvedRequest } from './resolve-request.ts';

export interface Caller {
  readonly keyId: string;
  /** Aborted when the caller went away. */
  readonly signal: AbortSignal;
}

export const callerOf = (c: Context<RequestVariables>): Caller => ({
  keyId: c.get('keyId'),
  signal: c.req.raw.signal,
});

export type ForecastParts = Pick<DaemonContext, 'forecaster' | 'loaded' | 'usage' | 'events'>;

export interface ReadyForecast {
  /** Also ends when this signal is aborted. */
  run(signal?: AbortSignal): Promise<ForecastResponse>;
}

const withRepairs = (
  response: ForecastResponse,
  repairs: readonly RepairReport[] | null,
): ForecastResponse => {
  if (!repairs) return response;
  const warnings = [...repairWarnings(repairs), ...(response.warnings ?? [])];
  return {
    ...response,
    preprocessing: { series: repairs.map((report) => ({ ...report })) },
    warnings: warnings.length > 0 ? warnings : null,
  };
};

/** Checks all that can be refused before a model runs; throws what the run would. */
export const prepareForecast = async (
  { forecaster, loaded, usage, events }: ForecastParts,
  { request, repairs }: ResolvedRequest,
  { keyId, signal: callerSignal }: Caller,
): Promise<ReadyForecast> => {
  const { model, horizon } = request;
  const series_count = request.series.length;
  const prepared = await forecaster.prepare(request);
  const run = async (signal: AbortSignal = callerSignal): Promise<ForecastResponse> => {
    const isLoaded = loaded.list().some(({ name }) => name === model);
    events.publish(keyId, 'forecast.progress', { model, status: 'running', series_count, horizon });
    const response = withRepairs(await prepared.run(signal), repairs);
    const { timing } = response;
    usage.record(keyId, { inferenceMs: timing.inference_ms, series: series_count });
    if (!isLoaded) {
      const { model_load_ms } = timing;
      events.publish(keyId, 'model.loaded', { model, model_load_ms });
    }
    events.publish(keyId, 'forecast.complete', { model, series_count, horizon, timing });
    return response;
  };
  return { run };
};

/** The whole way of a request that is made up inside of the daemon. */
export const serveForecast = async (
  parts: ForecastParts,
  request: ForecastRequest,
  caller: Caller,
): Promise<ForecastResponse> =>
  (await prepareForecast(parts, { request, repairs: null }, caller)).run();
