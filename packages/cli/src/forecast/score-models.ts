/** Models scored on the ends of series, rolling the origin, and the table of it. */
import type { InputSeries } from '@tollama/ingest/series-objects';
import { humanNumber } from '../terminal/human.ts';
import { table } from '../terminal/table.ts';
import type { AskOptions } from './ask.ts';
import { type Scores, score } from './metrics.ts';
import { forecastWindows, type RollingOptions, rollingWindows } from './rolling.ts';

/** Always in the table: what every model has to beat. */
export const BASELINE = 'seasonal-naive';
export const SCORED_LEVELS: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

export interface ScoredModel {
  readonly model: string;
  readonly scores: Scores;
  readonly elapsedMs: number;
}

/** A model that fails is told of and does not stop the others; an interrupt does. */
export const scoreModels = async (
  models: readonly string[],
  series: readonly InputSeries[],
  rolling: RollingOptions,
  ask: AskOptions,
): Promise<{ rows: ScoredModel[]; failures: string[] }> => {
  const windows = rollingWindows(series, rolling);
  const rows: ScoredModel[] = [];
  const failures: string[] = [];
  for (const model of models) {
    try {
      const { scored, elapsedMs } = await forecastWindows(model, windows, rolling, ask);
      rows.push({ model, scores: score(scored), elapsedMs });
    } catch (error) {
      ask.signal.throwIfAborted();
      failures.push(`${model}: ${(error as Error).message}`);
    }
  }
  return { rows, failures };
};

const cell = (value: number | undefined): string =>
  value === undefined ? '-' : humanNumber(value);

/** Rows by quantile loss, the best first, beside what the baseline got. */
export const scoreTable = (rows: readonly ScoredModel[]): string => {
  const base = rows.find(({ model }) => model === BASELINE)!.scores;
  const sorted = rows.toSorted(
    (a, b) => (a.scores.wql ?? a.scores.mase) - (b.scores.wql ?? b.scores.mase),
  );
  const relative = (own: number | undefined, of: number | undefined): string =>
    own !== undefined && of ? humanNumber(own / of, 3) : '-';
  return table(
    ['MODEL', 'MASE', 'WQL', 'MASE/NAIVE', 'WQL/NAIVE', 'MAE', 'RMSE', '80% COVERAGE', 'SECONDS'],
    sorted.map(({ model, scores, elapsedMs }) => [
      model,
      cell(scores.mase),
      cell(scores.wql),
      relative(scores.mase, base.mase),
      relative(scores.wql, base.wql),
      cell(scores.mae),
      cell(scores.rmse),
      scores.coverage === undefined ? '-' : `${Math.round(scores.coverage * 100)}%`,
      (elapsedMs / 1000).toFixed(2),
    ]),
  );
};
