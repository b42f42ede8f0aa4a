/** Collects the rows of one series at a time, and says what is wrong with them. */
import type { PanelSeries, TimeKind } from '../block/panel-block.ts';
import { timeText } from '../worker/calendar.ts';

const FIRST_CAPACITY = 1024;

export interface SeriesRows {
  /** Takes rows `from` to before `end`. */
  add(times: ArrayLike<number>, values: ArrayLike<number>, from: number, end: number): void;
  /** The series of what was added, under an id; starts anew. */
  take(id: string): PanelSeries;
}

const problemOf = (
  times: Float64Array,
  values: Float64Array,
  kind: TimeKind,
): string | undefined => {
  const untimed = times.findIndex((time) => !Number.isFinite(time));
  if (untimed >= 0) return 'the time of a row is missing or cannot be read';
  for (let i = 1; i < times.length; i++) {
    if (times[i] === times[i - 1]) return `two rows have the time ${timeText(times[i]!, kind)}`;
  }
  if (values.every(Number.isNaN)) return 'no value is observed';
  const odd = values.findIndex((value) => Math.abs(value) === Number.POSITIVE_INFINITY);
  return odd < 0 ? undefined : `the value at ${timeText(times[odd]!, kind)} is not a finite number`;
};

const NONE = new Float64Array(0);

export const createSeriesRows = (kind: TimeKind): SeriesRows => {
  let times = new Float64Array(FIRST_CAPACITY);
  let values = new Float64Array(FIRST_CAPACITY);
  let length = 0;
  const grow = (least: number): void => {
    const capacity = Math.max(least, 2 * times.length);
    const [oldTimes, oldValues] = [times, values];
    times = new Float64Array(capacity);
    values = new Float64Array(capacity);
    times.set(oldTimes.subarray(0, length));
    values.set(oldValues.subarray(0, length));
  };
  return {
    add(moreTimes, moreValues, from, end) {
      if (length + end - from > times.length) grow(length + end - from);
      for (let row = from; row < end; row++) {
        times[length] = moreTimes[row]!;
        values[length++] = moreValues[row]!;
      }
    },
    take(id) {
      const taken = { id, times: times.slice(0, length), values: values.slice(0, length) };
      length = 0;
      const problem = problemOf(taken.times, taken.values, kind);
      return problem === undefined ? taken : { id, times: NONE, values: NONE, problem };
    },
  };
};
