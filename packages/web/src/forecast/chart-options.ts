/** What uPlot is told: axes, lines, bands, and the mark where the forecast begins. */
import uPlot from 'uplot';
import type { ChartData, ChartLine } from './chart-data.ts';
import { DASHES, faded, type Palette } from './palette.ts';
import { timeLabels } from './time-labels.ts';

/** Nested bands add up; the inner ones are denser. */
const BAND_OPACITY = 0.13;

const colorOf = ({ model, kind }: ChartLine, { history, models }: Palette): string => {
  if (model === undefined || kind === 'history') return history;
  return models[model % models.length]!;
};

const seriesOptions = (line: ChartLine, palette: Palette): uPlot.Series => {
  const stroke = colorOf(line, palette);
  const points = { show: false };
  switch (line.kind) {
    case 'edge':
      return { points, width: 0 };
    case 'history':
      return { stroke, points, width: 1.5 };
    case 'actual':
      return { stroke, points, width: 1.5, dash: [3, 3] };
    case 'center':
      return { stroke, points, width: 2, dash: [...DASHES[(line.model ?? 0) % DASHES.length]!] };
  }
};

const LABEL_WIDTH = 6.8;

const axes = ({ axis, grid, font }: Palette, isTime: boolean): uPlot.Axis[] => {
  const look = { stroke: axis, font: `11px ${font}`, ticks: { show: false } };
  return [
    {
      ...look,
      grid: { show: false },
      gap: 8,
      size: 40,
      space: isTime ? 72 : 56,
      ...(isTime && {
        values: (_: uPlot, splits: number[], __: number, ___: number, step: number) =>
          timeLabels(splits, step),
      }),
    },
    {
      ...look,
      grid: { stroke: grid, width: 1 },
      gap: 8,
      size: (_: uPlot, labels: string[] | null) =>
        18 + LABEL_WIDTH * Math.max(0, ...(labels ?? []).map(({ length }) => length)),
    },
  ];
};

/** A line from top to bottom where the history ends. */
const markOrigin =
  (origin: number | undefined, color: string) =>
  ({ ctx, bbox, valToPos }: uPlot): void => {
    if (origin === undefined) return;
    const x = Math.round(valToPos(origin, 'x', true));
    ctx.save();
    ctx.strokeStyle = color;
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.restore();
  };

export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

export const chartOptions = (
  data: ChartData,
  palette: Palette,
  { width, height }: ChartSize,
  onCursor: (place: number | undefined) => void,
): uPlot.Options => ({
  width,
  height,
  // Wall clocks are drawn as they were written, whatever the zone of the reader.
  tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
  padding: [12, 12, 0, 0],
  legend: { show: false },
  cursor: { y: false, drag: { x: true, y: false, setScale: true }, points: { size: 7 } },
  scales: { x: { time: data.isTime } },
  axes: axes(palette, data.isTime),
  series: [{}, ...data.lines.map((line) => seriesOptions(line, palette))],
  bands: data.bands.map(({ high, low, model, depth }) => ({
    series: [high + 1, low + 1],
    fill: faded(palette.models[model % palette.models.length]!, BAND_OPACITY + 0.03 * depth),
  })),
  hooks: {
    drawAxes: [markOrigin(data.origin, palette.line)],
    setCursor: [({ cursor }) => onCursor(cursor.idx ?? undefined)],
  },
});
