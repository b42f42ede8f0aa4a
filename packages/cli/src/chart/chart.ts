/** A forecast drawn in the terminal: history, median, interval and, where known, what came. */

import { createCanvas, DOTS_ACROSS, DOTS_DOWN, type Dot } from './braille-canvas.ts';
import { paint, type Role } from './color.ts';
import { layoutTimeAxis } from './time-axis.ts';
import { createValueScale, type ValueScale } from './value-scale.ts';

export interface ForecastChart {
  readonly title: string;
  /** Oldest first; NaN where a value is missing. */
  readonly history: {
    readonly timestamps: readonly string[];
    readonly values: ArrayLike<number>;
  };
  readonly forecast?:
    | {
        readonly timestamps: readonly string[];
        readonly median: ArrayLike<number>;
        /** Bounds of the interval; both or none. */
        readonly lower?: ArrayLike<number> | undefined;
        readonly upper?: ArrayLike<number> | undefined;
        /** What the legend calls the interval; `80 % interval` when absent. */
        readonly interval?: string | undefined;
      }
    | undefined;
  /** Values that came after the history, over the horizon. */
  readonly actuals?: ArrayLike<number> | undefined;
}

export interface ChartOptions {
  /** Characters across, at least 40. */
  readonly width?: number;
  /** Lines down, all of them counted, at least 8. */
  readonly height?: number;
  readonly color?: boolean;
  /** Most points of history that are drawn; three horizons and at least 48 when absent. */
  readonly historyPoints?: number;
}

interface Cell {
  readonly text: string;
  readonly role: Role;
}

const LEGEND_LINE = '⠤⠒⠤';
const BAND = '░';
const ACTUAL = '×';
const DIVIDER = '┊';
/** Lines around the plot: title, axis, its labels, legend. */
const LINES_AROUND = 4;
/** Intervals wider than so many ranges of the rest are cut off, so that the rest can be seen. */
const WIDEST_INTERVAL = 1.5;

const LARGEST = 1e300;

/** All that is drawn, on one axis of positions: the history, then the horizon. */
interface Drawn {
  readonly timestamps: readonly string[];
  readonly history: readonly number[];
  /** Positions of the horizon start at `history.length`. */
  readonly median: readonly number[];
  readonly lower: readonly number[];
  readonly upper: readonly number[];
  readonly actuals: readonly number[];
}

/** Values from an index on, bounded so that sums and differences of them are finite. */
const drawable = (values: ArrayLike<number> = [], from = 0): number[] =>
  Array.from({ length: Math.max(0, values.length - from) }, (_, i) =>
    Math.min(Math.max(values[from + i]!, -LARGEST), LARGEST),
  );

const select = (chart: ForecastChart, historyPoints: number | undefined): Drawn => {
  const { history, forecast } = chart;
  const actuals = drawable(chart.actuals);
  const median = drawable(forecast?.median);
  const horizon = Math.max(median.length, actuals.length);
  const most = Math.max(1, historyPoints ?? Math.max(48, 3 * horizon));
  const from = Math.max(0, history.values.length - most);
  const future = forecast?.timestamps ?? [];
  return {
    timestamps: [
      ...history.timestamps.slice(from),
      ...Array.from({ length: horizon }, (_, i) => future[i] ?? `+${i + 1}`),
    ],
    history: drawable(history.values, from),
    median,
    lower: forecast?.upper ? drawable(forecast.lower) : [],
    upper: forecast?.lower ? drawable(forecast.upper) : [],
    actuals,
  };
};

/** Values that set the scale: all lines, and the interval as far as it does not dwarf them. */
const scaledValues = ({ history, median, lower, upper, actuals }: Drawn): number[] => {
  const lines = [...history, ...median, ...actuals].filter(Number.isFinite);
  const low = lines.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = lines.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const room = Math.max(high - low, Math.abs(high) * 0.05) * WIDEST_INTERVAL;
  const bounded = [...lower, ...upper].map((value) =>
    Math.min(Math.max(value, low - room), high + room),
  );
  return [...lines, ...bounded];
};

interface Plot {
  readonly drawn: Drawn;
  readonly scale: ValueScale;
  readonly columns: number;
  readonly rows: number;
}

const dotColumn = ({ drawn, columns }: Plot, position: number): number => {
  const last = Math.max(1, drawn.timestamps.length - 1);
  return Math.round((position / last) * (columns * DOTS_ACROSS - 1));
};

const dotRow = ({ scale, rows }: Plot, value: number): number => {
  const share = (scale.high - value) / (scale.high - scale.low);
  return Math.round(share * (rows * DOTS_DOWN - 1));
};

/** Draws values from a position on; missing ones leave a gap. */
const drawLine = (plot: Plot, values: readonly number[], from: number) => {
  const canvas = createCanvas(plot.columns, plot.rows);
  let before: Dot | undefined;
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(value)) {
      before = undefined;
      continue;
    }
    const dot = { x: dotColumn(plot, from + i), y: dotRow(plot, value) };
    canvas.line(before ?? dot, dot);
    before = dot;
  }
  return canvas;
};

/** The value between two positions of a line; NaN outside of it. */
const interpolate = (values: readonly number[], position: number): number => {
  const index = Math.floor(position);
  const [a, b] = [values[index], values[index + 1]];
  if (a === undefined) return Number.NaN;
  return b === undefined || position === index ? a : a + (b - a) * (position - index);
};

/** Whether at least half of the dots of a cell lie between two lines that start at a position. */
const createBand = (
  plot: Plot,
  lower: readonly number[],
  upper: readonly number[],
  from: number,
) => {
  const last = Math.max(1, plot.drawn.timestamps.length - 1);
  const width = plot.columns * DOTS_ACROSS;
  const bounds = Array.from({ length: width }, (_, x) => {
    // Half a dot of tolerance, so that the first and the last position are reached.
    const position = Math.max(0, (x / (width - 1)) * last - from);
    if ((x / (width - 1)) * last < from - 0.5) return undefined;
    const [low, high] = [interpolate(lower, position), interpolate(upper, position)];
    if (!Number.isFinite(low) || !Number.isFinite(high)) return undefined;
    return { top: dotRow(plot, high), bottom: dotRow(plot, low) };
  });
  return (column: number, row: number): boolean => {
    let inside = 0;
    for (let dx = 0; dx < DOTS_ACROSS; dx++) {
      const bound = bounds[column * DOTS_ACROSS + dx];
      for (let dy = 0; bound && dy < DOTS_DOWN; dy++) {
        const y = row * DOTS_DOWN + dy;
        if (y >= bound.top && y <= bound.bottom) inside++;
      }
    }
    return inside >= (DOTS_ACROSS * DOTS_DOWN) / 2;
  };
};

const cellKey = (column: number, row: number): string => `${column},${row}`;

const markCells = (plot: Plot, values: readonly number[], from: number): ReadonlySet<string> => {
  const cells = new Set<string>();
  for (const [i, value] of values.entries()) {
    if (!Number.isFinite(value)) continue;
    const column = Math.floor(dotColumn(plot, from + i) / DOTS_ACROSS);
    cells.add(cellKey(column, Math.floor(dotRow(plot, value) / DOTS_DOWN)));
  }
  return cells;
};

const drawCells = (plot: Plot): Cell[][] => {
  const { drawn, columns, rows } = plot;
  const start = drawn.history.length;
  const last = drawn.history.at(-1);
  // The fan opens at the last value, if there is one.
  const isJoined = last !== undefined && Number.isFinite(last) && drawn.median.length > 0;
  const from = isJoined ? start - 1 : start;
  const joined = (values: readonly number[]) =>
    isJoined && values[0] !== undefined ? [last, ...values] : values;
  const history = drawLine(plot, drawn.history, 0);
  const median = drawLine(plot, joined(drawn.median), from);
  const isInBand = createBand(plot, joined(drawn.lower), joined(drawn.upper), from);
  const actuals = markCells(plot, drawn.actuals, start);
  const hasHorizon = drawn.timestamps.length > start && start > 0;
  const divider = hasHorizon ? Math.floor(dotColumn(plot, start - 1) / DOTS_ACROSS) : -1;
  const cellAt = (column: number, row: number): Cell => {
    if (actuals.has(cellKey(column, row))) return { text: ACTUAL, role: 'actual' };
    const historyDots = history.character(column, row);
    if (historyDots !== '') return { text: historyDots, role: 'history' };
    const medianDots = median.character(column, row);
    if (medianDots !== '') return { text: medianDots, role: 'median' };
    if (column === divider) return { text: DIVIDER, role: 'axis' };
    return isInBand(column, row) ? { text: BAND, role: 'band' } : { text: ' ', role: 'plain' };
  };
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => cellAt(column, row)),
  );
};

/** Text of cells with one colour code for each run of a role; nothing behind the last one. */
const printCells = (cells: readonly Cell[], color: boolean): string => {
  const end = cells.findLastIndex((cell) => cell.text !== ' ') + 1;
  let line = '';
  let run = '';
  let role: Role = 'plain';
  for (const cell of cells.slice(0, end)) {
    if (cell.role !== role) {
      line += paint(role, run, color);
      [run, role] = ['', cell.role];
    }
    run += cell.text;
  }
  return line + paint(role, run, color);
};

const printPlot = (plot: Plot, gutter: number, color: boolean): string[] => {
  const labels = new Map<number, string>();
  for (const { value, label } of plot.scale.ticks) {
    labels.set(Math.floor(dotRow(plot, value) / DOTS_DOWN), label);
  }
  return drawCells(plot).map((cells, row) => {
    const label = labels.get(row);
    const axis = `${(label ?? '').padStart(gutter)} ${label === undefined ? '│' : '┤'}`;
    return paint('axis', axis, color) + printCells(cells, color);
  });
};

const printTimeAxis = (plot: Plot, gutter: number, color: boolean): string[] => {
  const { drawn, columns } = plot;
  const columnOf = (position: number) => Math.floor(dotColumn(plot, position) / DOTS_ACROSS);
  const start = drawn.timestamps.length > drawn.history.length ? drawn.history.length : undefined;
  const labels = layoutTimeAxis(drawn.timestamps, { start, columnOf, width: columns });
  const ticks = Array.from({ length: columns }, () => '─');
  let line = '';
  for (const { column, start: at, text } of labels) {
    ticks[column] = '┬';
    line = line.padEnd(at) + text;
  }
  return [
    paint('axis', `${' '.repeat(gutter + 1)}└${ticks.join('')}`, color),
    paint('axis', ' '.repeat(gutter + 2) + line, color),
  ];
};

interface LegendEntry extends Cell {
  readonly name: string;
  readonly shortName: string;
}

const legendOf = ({ forecast, actuals }: ForecastChart): LegendEntry[] => {
  const interval = forecast?.interval ?? '80 % interval';
  const entry = (text: string, role: Role, name: string, shortName = name): LegendEntry[] => [
    { text, role, name, shortName },
  ];
  return [
    ...entry(LEGEND_LINE, 'history', 'history'),
    ...(forecast ? entry(LEGEND_LINE, 'median', 'forecast (median)', 'forecast') : []),
    ...(forecast?.lower && forecast.upper
      ? entry(BAND.repeat(2), 'band', interval, interval.replace(/ interval$/, ''))
      : []),
    ...(actuals && actuals.length > 0 ? entry(ACTUAL, 'actual', 'actual values', 'actual') : []),
  ];
};

/**
 * The legend below the plot, in full or as short as the width wants it. The divider of the plot parts
 * history and forecast here too, so that it reads without colour.
 */
const printLegend = (
  chart: ForecastChart,
  options: { readonly indent: number; readonly width: number; readonly color: boolean },
): string => {
  const { indent, width, color } = options;
  const all = legendOf(chart);
  const short = all.map((entry) => ({ ...entry, name: entry.shortName }));
  const shortest = short.map((entry) => ({ ...entry, text: entry.text.slice(0, 1) }));
  const withoutBand = shortest.filter(({ role }) => role !== 'band');
  const print = (entries: readonly LegendEntry[], gap: string, isPainted: boolean) =>
    entries
      .map((entry, i) => {
        const isDivided = i === 1 && entry.role === 'median';
        const before = i === 0 ? '' : isDivided ? ` ${DIVIDER} ` : gap;
        return `${before}${paint(entry.role, entry.text, isPainted)} ${entry.name}`;
      })
      .join('');
  const variants = [
    [all, '   ', indent],
    [short, '   ', indent],
    [shortest, '  ', 0],
    [withoutBand, '  ', 0],
  ] as const;
  const [entries, gap] =
    variants.find(([some, between, at]) => at + print(some, between, false).length <= width) ??
    variants[3];
  const room = Math.max(0, width - print(entries, gap, false).length);
  return ' '.repeat(Math.min(indent, room)) + print(entries, gap, color);
};

const cutTitle = (title: string, width: number): string => {
  const clean = title.replace(/\p{C}/gu, '?');
  return clean.length > width ? `${clean.slice(0, width - 1)}…` : clean;
};

/**
 * Draws a forecast as lines of text, without a line break at the end: braille lines for history and median,
 * shading for the interval, a divider where the forecast starts, crosses for what came.
 *
 * @example
 * renderChart({ title: 'sales', history: { timestamps, values }, forecast: { timestamps: next, median } });
 */
export const renderChart = (chart: ForecastChart, options: ChartOptions = {}): string => {
  const width = Math.max(40, Math.floor(options.width ?? 80));
  const rows = Math.max(8, Math.floor(options.height ?? 18)) - LINES_AROUND;
  const color = options.color ?? false;
  const drawn = select(chart, options.historyPoints);
  const scale = createValueScale(scaledValues(drawn), Math.max(3, Math.round(rows / 3)));
  const gutter = Math.max(1, ...scale.ticks.map(({ label }) => label.length));
  const plot: Plot = { drawn, scale, columns: width - gutter - 2, rows };
  return [
    paint('title', cutTitle(chart.title, width), color),
    ...printPlot(plot, gutter, color),
    ...printTimeAxis(plot, gutter, color),
    printLegend(chart, { indent: gutter + 2, width, color }),
  ].join('\n');
};
