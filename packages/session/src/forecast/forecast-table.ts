/** Forecasts as a long frame: unique_id, ds, model, yhat, and a column for each quantile and interval side. */
import { futureTimestamps, parseFrequency } from '@tollama/core/frequency';
import { parseTimestamps } from '@tollama/core/frequency/timestamp';
import type { Panel } from '../frame/panel.ts';
import { intervalSides, neededQuantiles, type TaskSpec } from '../task/task-spec.ts';
import type { ModelForecast } from './forecast-panel.ts';

export interface ForecastRow {
  readonly unique_id: string;
  readonly ds: string;
  readonly model: string;
  readonly yhat: number;
  /** q_0.1, lo_80, hi_80, ... */
  readonly [column: string]: string | number;
}

/** Timestamps after a history, written like it. */
export const stepsAfter = (timestamps: readonly string[], freq: string, h: number): string[] =>
  futureTimestamps(parseTimestamps(timestamps).at(-1)!, parseFrequency(freq), h);

/** Rows sorted by id and time. */
export const forecastTable = (
  panel: Panel,
  byId: ReadonlyMap<string, ModelForecast>,
  spec: TaskSpec,
): ForecastRow[] => {
  const needed = neededQuantiles(spec);
  const columns = [
    ...spec.forecast.quantiles.map((q) => [`q_${q}`, needed.indexOf(q)] as const),
    ...spec.forecast.levels.flatMap((level) => {
      const [lower, upper] = intervalSides(level).map((side) => needed.indexOf(side));
      return [[`lo_${level}`, lower!] as const, [`hi_${level}`, upper!] as const];
    }),
  ];
  return panel.series.flatMap(({ id, timestamps }) => {
    const { model, forecast } = byId.get(id)!;
    const stamps = stepsAfter(timestamps, panel.freq, spec.h);
    return Array.from(forecast.mean, (yhat, h) => ({
      unique_id: id,
      ds: stamps[h]!,
      model,
      yhat,
      ...Object.fromEntries(
        columns.map(([name, l]) => [name, (forecast.quantiles[l] ?? forecast.mean)[h]!]),
      ),
    }));
  });
};
