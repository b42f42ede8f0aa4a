/** The chart of a history and its forecasts: pointer and arrow keys read it step by step. */
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { useStore } from '../ui/store.ts';
import { theme } from '../ui/theme.tsx';
import type { ChartData } from './chart-data.ts';
import { chartOptions } from './chart-options.ts';
import { readPalette } from './palette.ts';
import { Readout, readoutText } from './readout.tsx';

/** Counts up when the system turns dark or light. */
const useSystemTheme = (): number => {
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const onChange = (): void => setTurn((before) => before + 1);
    query.addEventListener('change', onChange);
    return () => query.removeEventListener('change', onChange);
  }, []);
  return turn;
};

const sizeOf = (frame: HTMLElement) => ({
  width: Math.max(200, frame.clientWidth),
  height: Math.max(200, frame.clientHeight),
});

/** The place after a key was pressed; undefined for a key that moves nothing. */
const placeAfter = (key: string, place: number, last: number): number | undefined => {
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: 1,
    ArrowUp: 1,
    ArrowLeft: -1,
    ArrowDown: -1,
    PageUp: 10,
    PageDown: -10,
    Home: -last,
    End: last,
  };
  const step = steps[key];
  return step === undefined ? undefined : Math.min(last, Math.max(0, place + step));
};

/** Moves the cursor of the chart to a place of the axis. */
const moveCursor = (chart: uPlot, data: ChartData, place: number): void => {
  const left = chart.valToPos(data.places[place]!, 'x');
  chart.setCursor({ left, top: chart.over.clientHeight / 2 });
};

/** Draws the chart into the frame, anew when the data or the theme change. */
const useChart = (data: ChartData, onCursor: (place: number | undefined) => void) => {
  const frame = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const [chosen, system] = [useStore(theme), useSystemTheme()];
  // A theme changes the colours that are read.
  useLayoutEffect(() => {
    const { current } = frame;
    if (!current) return;
    const aligned = [data.places, ...data.lines.map(({ values }) => values)] as uPlot.AlignedData;
    const options = chartOptions(data, readPalette(), sizeOf(current), onCursor);
    const made = new uPlot(options, aligned, current);
    chart.current = made;
    onCursor(undefined);
    const observer = new ResizeObserver(() => made.setSize(sizeOf(current)));
    observer.observe(current);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [data, chosen, system, onCursor]);
  return { frame, chart };
};

export interface FanChartProps {
  readonly data: ChartData;
  readonly label: string;
}

export const FanChart = ({ data, label }: FanChartProps) => {
  const [place, setPlace] = useState<number>();
  const { frame, chart } = useChart(data, setPlace);
  const last = data.places.length - 1;
  const start = data.origin === undefined ? last : Math.max(0, data.places.indexOf(data.origin));
  const shown = Math.min(place ?? start, last);
  const onKeyDown = (event: KeyboardEvent): void => {
    const next = placeAfter(event.key, shown, last);
    if (next === undefined || !chart.current) return;
    event.preventDefault();
    moveCursor(chart.current, data, next);
  };
  return (
    <figure class="fan-chart">
      <Readout data={data} place={place} />
      <div
        ref={frame}
        class="fan-chart-frame"
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Arrow keys read it step by step`}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={shown}
        aria-valuetext={readoutText(data, shown)}
        onKeyDown={onKeyDown}
      />
    </figure>
  );
};
