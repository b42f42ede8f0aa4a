/** History and forecasts as the aligned columns that the chart draws. */
import { levelKey } from './level-key.ts';
import { mirroredPairs } from './quantile-levels.ts';
import { type Forecast, type Run, stepsOf } from './run.ts';
import type { SeriesData } from './table-series.ts';

/** A line of the chart; `edge` bounds a band and is not drawn itself. */
export interface ChartLine {
  readonly kind: 'history' | 'actual' | 'center' | 'edge';
  readonly label: string;
  /** Place of the model among the chosen ones; undefined for the history. */
  readonly model: number | undefined;
  readonly values: readonly (number | null)[];
}

/** Two edges, as places among the lines, and how far in the band lies: 0 is the outermost. */
export interface ChartBand {
  readonly high: number;
  readonly low: number;
  readonly model: number;
  readonly depth: number;
}

export interface ChartData {
  readonly places: readonly number[];
  readonly timestamps: readonly string[];
  readonly isTime: boolean;
  readonly lines: readonly ChartLine[];
  readonly bands: readonly ChartBand[];
  /** Where the forecast begins. */
  readonly origin: number | undefined;
}

/** Cycles of the horizon that are shown of a long history. */
const HISTORY_PER_HORIZON = 3;

/** Where the history begins that is drawn. */
const firstShown = (length: number, horizon: number, isWhole: boolean): number =>
  isWhole ? 0 : Math.max(0, length - Math.max(HISTORY_PER_HORIZON * horizon, 60));

interface Frame {
  readonly history: readonly (number | null)[];
  readonly horizon: number;
}

const pad = (count: number): null[] => new Array<null>(count).fill(null);

/** A line over the horizon, fastened to the last point of the history. */
const overHorizon = (
  { history, horizon }: Frame,
  values: readonly (number | null)[],
): (number | null)[] => {
  const before = [...pad(history.length - 1), history.at(-1) ?? null];
  return [...before, ...values.slice(0, horizon), ...pad(horizon - values.length)];
};

const modelLines = (
  forecast: Forecast,
  model: number,
  label: string,
  levels: readonly number[],
  frame: Frame,
): { lines: ChartLine[]; pairs: number } => {
  const pairs = forecast.quantiles ? mirroredPairs(levels) : [];
  const line = (kind: ChartLine['kind'], values: readonly number[]): ChartLine => ({
    kind,
    label,
    model,
    values: overHorizon(frame, values),
  });
  const edges = pairs.flatMap(([low, high]) =>
    [high, low].map((level) => line('edge', forecast.quantiles?.[levelKey(level)] ?? [])),
  );
  const median = forecast.quantiles?.['0.5'] ?? forecast.mean;
  return { lines: [...edges, line('center', median)], pairs: pairs.length };
};

/** The history alone, before anything was forecast. */
export const historyChart = (series: SeriesData, horizon: number, isWhole: boolean): ChartData => {
  const from = firstShown(series.values.length, horizon, isWhole);
  return {
    places: series.places.slice(from),
    timestamps: series.timestamps.slice(from),
    isTime: series.isTime,
    lines: [
      { kind: 'history', label: 'history', model: undefined, values: series.values.slice(from) },
    ],
    bands: [],
    origin: undefined,
  };
};

interface Fans {
  readonly lines: readonly ChartLine[];
  readonly bands: readonly ChartBand[];
}

/** The lines and bands of all models; `before` lines stand before them. */
const fansOf = ({ results, levels }: Run, place: number, frame: Frame, before: number): Fans => {
  // Fans over fans hide each other: of several models, each shows its widest band only.
  const isAlone = results.filter(({ response }) => response).length === 1;
  const lines: ChartLine[] = [];
  const bands: ChartBand[] = [];
  results.forEach(({ response, model: label }, model) => {
    const forecast = response?.forecasts[place];
    if (!forecast) return;
    const added = modelLines(forecast, model, label, levels, frame);
    const depths = isAlone ? added.pairs : Math.min(1, added.pairs);
    for (let depth = 0; depth < depths; depth++) {
      const high = before + lines.length + 2 * depth;
      bands.push({ high, low: high + 1, model, depth });
    }
    lines.push(...added.lines);
  });
  return { lines, bands };
};

/**
 * The chart of one series of a run. `whole` is the series with what was held out, `place` is that of the
 * series in the run.
 */
export const runChart = (
  run: Run,
  place: number,
  whole: SeriesData | undefined,
  isWhole: boolean,
): ChartData => {
  const { results, horizon, isHeldOut } = run;
  const history = run.series[place]!;
  const first = results.find(({ response }) => response)?.response?.forecasts[place];
  if (!first) return historyChart(history, horizon, isWhole);
  const from = firstShown(history.values.length, horizon, isWhole);
  const shown = history.values.slice(from);
  const frame = { history: shown, horizon };
  const known: ChartLine[] = [
    { kind: 'history', label: 'history', model: undefined, values: [...shown, ...pad(horizon)] },
  ];
  if (isHeldOut && whole) {
    const values = overHorizon(frame, whole.values.slice(-horizon));
    known.push({ kind: 'actual', label: 'actual', model: undefined, values });
  }
  const fans = fansOf(run, place, frame, known.length);
  const steps = stepsOf(first, history);
  return {
    places: [...history.places.slice(from), ...steps.places],
    timestamps: [...history.timestamps.slice(from), ...steps.timestamps],
    isTime: history.isTime,
    lines: [...known, ...fans.lines],
    bands: fans.bands,
    origin: history.places.at(-1),
  };
};
