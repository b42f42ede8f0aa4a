/** Which model is best for which series: every candidate on expanding windows, per series the lowest error. */
import type { SeriesForecast } from '../backend/backend.ts';
import { TSAgentKitError } from '../errors/session-error.ts';
import { type Panel, type PanelSeries, panelAt } from '../frame/panel.ts';
import type { SelectionMetric, TaskSpec } from '../task/task-spec.ts';
import { type Asked, type CandidateContext, fitCandidate, predictCandidate } from './candidates.ts';

/** One past forecast beside what came. */
export interface PastForecast {
  readonly id: string;
  readonly model: string;
  readonly origin: number;
  readonly actual: Float64Array;
  readonly forecast: SeriesForecast;
}

export interface BacktestReport {
  readonly n_windows: number;
  readonly step: number;
  readonly selection_metric: SelectionMetric;
  /** model -> mean of the metric over series; models that failed throughout are left out. */
  readonly scores: Readonly<Record<string, number>>;
  readonly per_series: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly failures: readonly {
    readonly model: string;
    readonly window: number;
    readonly error: string;
  }[];
}

export interface Selection {
  readonly report: BacktestReport;
  /** id -> model */
  readonly chosen: ReadonlyMap<string, string>;
  readonly past: readonly PastForecast[];
}

type Pairs = readonly (readonly [actual: number, forecast: number])[];

const mean = (values: readonly number[]): number =>
  values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length;

const absolute = (pairs: Pairs): number => mean(pairs.map(([y, f]) => Math.abs(y - f)));

const POINT_METRICS: Readonly<
  Record<Exclude<SelectionMetric, 'mase' | 'pinball'>, (pairs: Pairs) => number>
> = {
  mae: absolute,
  rmse: (pairs) => Math.sqrt(mean(pairs.map(([y, f]) => (y - f) ** 2))),
  smape: (pairs) =>
    mean(
      pairs.map(([y, f]) =>
        Math.abs(y) + Math.abs(f) === 0 ? 0 : (2 * Math.abs(y - f)) / (Math.abs(y) + Math.abs(f)),
      ),
    ),
  wape: (pairs) => absolute(pairs) / mean(pairs.map(([y]) => Math.abs(y))),
};

const pairsOf = (
  { actual, forecast }: PastForecast,
  path: ArrayLike<number> = forecast.mean,
): Pairs =>
  Array.from(actual).flatMap((value, h) =>
    Number.isNaN(value) ? [] : [[value, path[h]!] as const],
  );

const pinballOf = (past: readonly PastForecast[], levels: readonly number[]): number =>
  mean(
    past.flatMap((one) =>
      levels.flatMap((level, l) =>
        pairsOf(one, one.forecast.quantiles[l] ?? one.forecast.mean).map(([y, f]) =>
          y >= f ? level * (y - f) : (1 - level) * (f - y),
        ),
      ),
    ),
  );

/** Mean |x[i] - x[i - season]| of the whole series: the same for all models, so that it only scales. */
const naiveScale = ({ target }: PanelSeries, season: number): number => {
  const lag = season < target.length ? season : 1;
  const steps = Array.from(target.subarray(lag), (value, i) => Math.abs(value - target[i]!));
  return mean(steps.filter(Number.isFinite));
};

const metricOf = (
  metric: SelectionMetric,
  past: readonly PastForecast[],
  series: PanelSeries,
  { season, levels }: { readonly season: number; readonly levels: readonly number[] },
): number => {
  const pairs = past.flatMap((one) => pairsOf(one));
  if (metric === 'pinball') return pinballOf(past, levels);
  if (metric === 'mase') return absolute(pairs) / naiveScale(series, season);
  return POINT_METRICS[metric](pairs);
};

interface Windows {
  readonly n: number;
  readonly step: number;
  readonly minTrain: number;
}

/** Origins of a series, the earliest first: as many of the windows as leave enough history. */
const originsOf = ({ target }: PanelSeries, h: number, { n, step, minTrain }: Windows): number[] =>
  Array.from({ length: n }, (_, k) => target.length - h - (n - 1 - k) * step).map((origin) =>
    origin >= minTrain ? origin : -1,
  );

const windowPanels = (panel: Panel, h: number, windows: Windows): Panel[] => {
  const origins = new Map(panel.series.map((one) => [one.id, originsOf(one, h, windows)]));
  return Array.from({ length: windows.n }, (_, k) => ({
    ...panel,
    series: panel.series
      .filter(({ id }) => origins.get(id)![k]! >= 0)
      .map((one) => panelAt(one, origins.get(one.id)![k]!, h))
      .filter(({ target }) => target.some((value) => !Number.isNaN(value))),
  })).filter(({ series }) => series.length > 0);
};

export interface SelectionRequest {
  readonly panel: Panel;
  readonly spec: TaskSpec;
  readonly asked: Asked;
  readonly context: CandidateContext;
  readonly candidates: readonly string[];
}

const backtestCandidate = async (
  model: string,
  windows: readonly Panel[],
  { panel, asked, context }: SelectionRequest,
  failures: { model: string; window: number; error: string }[],
): Promise<PastForecast[]> => {
  const whole = new Map(panel.series.map((one) => [one.id, one]));
  const past: PastForecast[] = [];
  for (const [window, known] of windows.entries()) {
    try {
      await fitCandidate(model, known, asked, context);
      const { forecasts } = await predictCandidate(model, known, asked, context);
      for (const { id, target } of known.series) {
        const forecast = forecasts.get(id);
        if (!forecast) continue;
        const actual = whole.get(id)!.target.subarray(target.length, target.length + asked.h);
        past.push({ id, model, origin: target.length, actual, forecast });
      }
    } catch (error) {
      context.signal?.throwIfAborted();
      failures.push({
        model,
        window,
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return past;
};

/**
 * Backtests the candidates and chooses a model for each series; a series without a window takes the first
 * candidate, NaN counts as infinite and ties go to the earlier candidate.
 *
 * @throws TSAgentKitError E_BACKTEST_INSUFFICIENT_DATA when no series is long enough for a window,
 * E_BACKTEST_FAIL when every candidate failed
 */
export const selectModels = async (request: SelectionRequest): Promise<Selection> => {
  const { panel, spec, asked, candidates } = request;
  const { n_windows, step, min_train_size, selection_metric } = spec.backtest;
  const shape = { n: n_windows, step: step ?? spec.h, minTrain: min_train_size };
  const windows = windowPanels(panel, spec.h, shape);
  if (windows.length === 0) {
    throw new TSAgentKitError(
      'E_BACKTEST_INSUFFICIENT_DATA',
      'no series is long enough for a window',
      {
        context: { min_train_size, h: spec.h, n_windows },
        fixHint: 'lower backtest.min_train_size or n_windows, or use mode quick',
      },
    );
  }
  const failures: { model: string; window: number; error: string }[] = [];
  const past: PastForecast[] = [];
  for (const model of candidates) {
    past.push(...(await backtestCandidate(model, windows, request, failures)));
  }
  if (past.length === 0) {
    throw new TSAgentKitError('E_BACKTEST_FAIL', 'every candidate failed in the backtest', {
      context: { candidates, failures },
      fixHint: 'see the failures; use mode quick to forecast without a backtest',
    });
  }
  const grouped = Map.groupBy(past, ({ id }) => id);
  const levels = { season: panel.season, levels: asked.quantiles };
  const perSeries = panel.series.map((series) => {
    const byModel = Map.groupBy(grouped.get(series.id) ?? [], ({ model }) => model);
    return [
      series.id,
      new Map(
        candidates.flatMap((model): [string, number][] => {
          const own = byModel.get(model);
          return own ? [[model, metricOf(selection_metric, own, series, levels)]] : [];
        }),
      ),
    ] as const;
  });
  return {
    chosen: new Map(perSeries.map(([id, scores]) => [id, lowest(scores, candidates[0]!)])),
    past,
    report: {
      n_windows: windows.length,
      step: shape.step,
      selection_metric,
      scores: Object.fromEntries(
        candidates.flatMap((model) => {
          const scores = perSeries.flatMap(([, own]) => own.get(model) ?? []);
          const finite = scores.filter(Number.isFinite);
          return finite.length > 0 ? [[model, mean(finite)]] : [];
        }),
      ),
      per_series: Object.fromEntries(
        perSeries.map(([id, scores]) => [id, Object.fromEntries(scores)]),
      ),
      failures,
    },
  };
};

const lowest = (scores: ReadonlyMap<string, number>, fallback: string): string => {
  let best = { model: fallback, score: Number.POSITIVE_INFINITY };
  for (const [model, score] of scores) if (score < best.score) best = { model, score };
  return best.model;
};
