/** From the panel block of a chunk to its forecast block: each series ends in one of the two lists. */
import { toTollamaError } from '@tollama/core/errors';
import type { ForecastBlock, SeriesFailure } from '../block/forecast-block.ts';
import type { PanelBlock, PanelSeries } from '../block/panel-block.ts';
import { timeText } from '../block/time-text.ts';
import type { BatchSettings } from '../settings.ts';
import {
  checkOutput,
  type ForecastSeries,
  type ModelInput,
  type ModelOutput,
} from './batch-model.ts';
import { type Calendar, createCalendar } from './calendar.ts';
import { requestCovariates } from './covariates.ts';
import { isOfOneSeries } from './failures.ts';

interface Prepared extends ModelInput {
  readonly last: number;
}

interface Done {
  readonly at: Prepared;
  readonly output: ModelOutput;
}

const NONE = new Float64Array(0);

type Ended = Done | SeriesFailure;

const failureOf = (id: string, thrown: unknown): SeriesFailure => {
  const { code, message } = toTollamaError(thrown);
  return { id, code, message };
};

const prepare = (
  one: PanelSeries,
  { kind, covariates: names = [] }: PanelBlock,
  { calendar, horizon }: { readonly calendar: Calendar; readonly horizon: number },
): Prepared | SeriesFailure => {
  const { id, times, values, problem } = one;
  if (problem !== undefined) return { id, code: 'INVALID_INPUT', message: problem };
  try {
    const regular = calendar.regular(times, values);
    const last = regular.times.at(-1)!;
    const future = (): Float64Array => calendar.future(last, regular.alias, horizon);
    const steps = { past: regular.times, future: one.covariates ? future() : NONE };
    return {
      id,
      freq: regular.alias,
      values: regular.values,
      timestamps: () => Array.from(regular.times, (time) => timeText(time, kind)),
      covariates: requestCovariates(one, names, { steps, kind }),
      last,
    };
  } catch (error) {
    return failureOf(id, error);
  }
};

const isFailure = (one: Prepared | Ended): one is SeriesFailure => 'code' in one;
const isPrepared = (one: Prepared | SeriesFailure): one is Prepared => !isFailure(one);
const isDone = (one: Ended): one is Done => !isFailure(one);

/** All at once; when that fails by one series, each by itself, so that it alone is left out. */
const forecastAll = async (
  prepared: readonly Prepared[],
  settings: BatchSettings,
  { forecast, signal }: ChunkOptions,
): Promise<readonly Ended[]> => {
  if (prepared.length === 0) return [];
  const ended = (at: Prepared, output: ModelOutput | undefined): Ended => {
    try {
      return { at, output: checkOutput(output, settings.horizon) };
    } catch (error) {
      return failureOf(at.id, error);
    }
  };
  try {
    const outputs = await forecast(prepared, settings, signal);
    return prepared.map((at, i) => ended(at, outputs[i]));
  } catch (error) {
    if (signal.aborted || !isOfOneSeries(error)) throw error;
    if (prepared.length === 1) return [failureOf(prepared[0]!.id, error)];
    const half = Math.ceil(prepared.length / 2);
    return [
      ...(await forecastAll(prepared.slice(0, half), settings, { forecast, signal })),
      ...(await forecastAll(prepared.slice(half), settings, { forecast, signal })),
    ];
  }
};

export interface ChunkOptions {
  readonly forecast: ForecastSeries;
  readonly signal: AbortSignal;
}

/**
 * @throws TollamaError for what is no fault of a single series: a model that is not there, a daemon that does not answer
 */
export const forecastChunk = async (
  block: PanelBlock,
  settings: BatchSettings,
  options: ChunkOptions,
): Promise<ForecastBlock> => {
  const { horizon, quantiles, freq } = settings;
  const calendar = createCalendar(freq, block.kind);
  const prepared = block.series.map((one) => prepare(one, block, { calendar, horizon }));
  const good = prepared.filter(isPrepared);
  const ended = await forecastAll(good, settings, options);
  const done = ended.filter(isDone);
  const rows = done.length * horizon;
  const times = new Float64Array(rows);
  const columns = Array.from({ length: quantiles.length + 1 }, () => new Float64Array(rows));
  done.forEach(({ at, output }, i) => {
    times.set(calendar.future(at.last, at.freq, horizon), i * horizon);
    columns.forEach((column, k) => {
      const from = output[k];
      for (let h = 0; h < horizon; h++) column[i * horizon + h] = from?.[h] ?? Number.NaN;
    });
  });
  const failures = [...prepared, ...ended].filter(isFailure);
  const order = new Map(block.series.map(({ id }, i) => [id, i]));
  return {
    horizon,
    ids: done.map(({ at }) => at.id),
    times,
    columns,
    failures: failures.toSorted((a, b) => order.get(a.id)! - order.get(b.id)!),
  };
};
