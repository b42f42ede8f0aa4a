/** Times of a panel as the vocabulary of frequencies sees them, with the work shared by series that are alike. */
import { TollamaError } from '@tollama/core/errors';
import {
  type Frequency,
  formatFrequency,
  futureTimestamps,
  inferFrequency,
  type Moment,
  parseFrequency,
  parseTimestamp,
} from '@tollama/core/frequency';
import type { TimeKind } from '../block/panel-block.ts';
import { timeText } from '../block/time-text.ts';

const MICROS_PER_DAY = 86_400_000_000;
/** Series that are alike are near each other. */
const MOST_REMEMBERED = 4096;
/** A grid with more places that nothing stands on is no grid of the series. */
const MOST_EMPTY = 0.5;

const timeOf = (text: string, kind: TimeKind): number => {
  if (kind === 'index') return Number(text);
  const { day, nanos } = parseTimestamp(text) as Moment;
  return day * MICROS_PER_DAY + Math.round(nanos / 1000);
};

export interface Regular {
  readonly alias: string;
  /** [steps], NaN where no row stands at the step. */
  readonly values: Float64Array;
  /** [steps] */
  readonly times: Float64Array;
}

export interface Calendar {
  /**
   * The values on a regular grid of their frequency.
   *
   * @throws TollamaError INVALID_INPUT when the times have no frequency or are off the grid
   */
  regular(times: Float64Array, values: Float64Array): Regular;
  /** [horizon] times after the last one. */
  future(last: number, alias: string, horizon: number): Float64Array;
}

const remembering = <T>(make: () => T, memory: Map<string, T>, key: string): T => {
  const known = memory.get(key);
  if (known !== undefined) return known;
  const made = make();
  if (memory.size >= MOST_REMEMBERED) memory.clear();
  memory.set(key, made);
  return made;
};

const isEven = (times: Float64Array): boolean => {
  const step = times[1]! - times[0]!;
  return times.every((time, i) => time === times[0]! + i * step);
};

/** Even times are told by first, step and count; all others by themselves. */
const keyOf = (times: Float64Array): string =>
  times.length > 1 && isEven(times)
    ? `${times[0]}:${times[1]}:${times.length}`
    : Buffer.from(times.buffer, times.byteOffset, times.byteLength).toString('latin1');

/** The grid from the first to the last time; undefined when a time is not on it. */
const gridOf = (
  times: Float64Array,
  frequency: Frequency,
  kind: TimeKind,
): Float64Array | undefined => {
  const most = Math.ceil(times.length / (1 - MOST_EMPTY));
  const later = futureTimestamps(timeText(times[0]!, kind), frequency, most);
  const grid = [times[0]!, ...later.map((text) => timeOf(text, kind))];
  const end = grid.indexOf(times.at(-1)!);
  if (end < 0) return undefined;
  const steps = new Set(grid.slice(0, end + 1));
  return times.every((time) => steps.has(time)) ? Float64Array.from(steps) : undefined;
};

const refuse = (message: string, hint: string): never => {
  throw new TollamaError('INVALID_INPUT', message, { hint });
};

interface Layout {
  readonly alias: string;
  /** Undefined where the times are the grid. */
  readonly grid: Float64Array | undefined;
}

const layoutOf = (times: Float64Array, freq: string, kind: TimeKind): Layout => {
  const texts = Array.from(times, (time) => timeText(time, kind));
  const frequency = freq === 'auto' ? inferFrequency(texts).frequency : parseFrequency(freq);
  const alias = formatFrequency(frequency);
  if (times.length < 2) return { alias, grid: undefined };
  const grid = gridOf(times, frequency, kind);
  if (!grid) {
    return refuse(
      `the times from ${texts[0]} to ${texts.at(-1)} are no steps of '${alias}', or more than half of the steps are missing`,
      'name the right --freq, or round the times',
    );
  }
  return { alias, grid: grid.length === times.length ? undefined : grid };
};

const onGrid = (times: Float64Array, values: Float64Array, grid: Float64Array): Float64Array => {
  let row = 0;
  return grid.map((step) => (times[row] === step ? values[row++]! : Number.NaN));
};

/**
 * The calendar of a panel whose times are of one kind.
 *
 * @param freq pandas alias, or `auto`: each series' own
 */
export const createCalendar = (freq: string, kind: TimeKind): Calendar => {
  const layouts = new Map<string, Layout>();
  const futures = new Map<string, Float64Array>();
  return {
    regular(times, values) {
      const make = (): Layout => layoutOf(times, freq, kind);
      const { alias, grid } = remembering(make, layouts, keyOf(times));
      if (!grid) return { alias, values, times };
      return { alias, values: onGrid(times, values, grid), times: grid };
    },
    future(last, alias, horizon) {
      const make = (): Float64Array =>
        Float64Array.from(
          futureTimestamps(timeText(last, kind), parseFrequency(alias), horizon),
          (text) => timeOf(text, kind),
        );
      return remembering(make, futures, `${alias}:${horizon}:${last}`);
    },
  };
};
