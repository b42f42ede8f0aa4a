/** The legend of the chart, with the values under the cursor. */
import { formatValue } from '../ui/quantity.ts';
import type { ChartData, ChartLine } from './chart-data.ts';
import { DASHES, MODEL_COLORS } from './palette.ts';

/** The sample of a line: its colour and its dashes. */
export const Swatch = ({ model, isDashed }: { model: number | undefined; isDashed?: boolean }) => (
  <svg class="swatch" width="22" height="8" aria-hidden="true">
    <line
      x1="1"
      y1="4"
      x2="21"
      y2="4"
      style={{
        stroke: `var(--${model === undefined ? 'series-history' : MODEL_COLORS[model % MODEL_COLORS.length]})`,
      }}
      stroke-width={2.5}
      stroke-dasharray={
        isDashed ? '3 3' : (DASHES[(model ?? 0) % DASHES.length] ?? []).join(' ') || undefined
      }
    />
  </svg>
);

const valueAt = ({ values }: ChartLine, place: number): number | undefined =>
  values[place] ?? undefined;

interface Entry {
  readonly line: ChartLine;
  readonly value: number | undefined;
  /** The widest interval. */
  readonly interval: readonly [number, number] | undefined;
}

/** What each drawn line says at a place. */
const entriesAt = ({ lines, bands }: ChartData, place: number | undefined): Entry[] =>
  lines
    .filter(({ kind }) => kind !== 'edge')
    .map((line) => {
      if (place === undefined) return { line, value: undefined, interval: undefined };
      const band = bands.find(({ model, depth }) => depth === 0 && model === line.model);
      const low = band && lines[band.low]?.values[place];
      const high = band && lines[band.high]?.values[place];
      const isKnown = typeof low === 'number' && typeof high === 'number' && low !== high;
      return { line, value: valueAt(line, place), interval: isKnown ? [low, high] : undefined };
    });

const intervalText = ([low, high]: readonly [number, number]): string =>
  `${formatValue(low)} to ${formatValue(high)}`;

/** One place in a sentence, for screen readers. */
export const readoutText = (data: ChartData, place: number): string => {
  const parts = entriesAt(data, place).flatMap(({ line, value, interval }) =>
    value === undefined
      ? []
      : [`${line.label} ${formatValue(value)}${interval ? `, ${intervalText(interval)}` : ''}`],
  );
  return `${data.timestamps[place]}: ${parts.join('; ') || 'no value'}`;
};

export const Readout = ({ data, place }: { data: ChartData; place: number | undefined }) => (
  <figcaption class="readout">
    <span class="readout-time mono">{place === undefined ? '' : data.timestamps[place]}</span>
    {entriesAt(data, place).map(({ line, value, interval }) => (
      <span key={`${line.kind}-${line.label}`} class="readout-entry">
        <Swatch model={line.model} isDashed={line.kind === 'actual'} />
        <span>{line.label}</span>
        {value !== undefined && <strong>{formatValue(value)}</strong>}
        {interval && <span class="soft">{intervalText(interval)}</span>}
      </span>
    ))}
  </figcaption>
);
