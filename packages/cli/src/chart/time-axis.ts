/** The axis of time: which timestamps are written below it, and how short. */

const ISO = /^(\d{4,})-(\d\d)(?:-(\d\d))?(?:[T ](\d\d:\d\d)(:\d\d)?(?:\.\d+)?)?/;
const LONGEST_LABEL = 19;

export interface TimeLabel {
  /** Column of its tick. */
  readonly column: number;
  /** Column of its first character. */
  readonly start: number;
  readonly text: string;
}

const isolate = (text: string): string => text.replace(/\p{C}/gu, '?').slice(0, LONGEST_LABEL);

/** Timestamps without what they all share: times at midnight, firsts of months, the seconds. */
export const shortenTimestamps = (timestamps: readonly string[]): string[] => {
  const parts = timestamps.map((text) => ISO.exec(text));
  if (timestamps.length < 2 || !parts.every((match) => match !== null)) {
    return timestamps.map(isolate);
  }
  const all = (index: number, ...values: readonly (string | undefined)[]) =>
    parts.every((match) => values.includes(match[index]));
  if (!all(4, '00:00', undefined) || !all(5, ':00', undefined)) {
    const hasSeconds = !all(5, ':00', undefined);
    const isOneYear = all(1, parts[0]?.[1]);
    return parts.map(([, year, month, day, clock, seconds]) => {
      const date = isOneYear ? `${month}-${day}` : `${year}-${month}-${day}`;
      return `${date} ${clock ?? '00:00'}${hasSeconds ? (seconds ?? ':00') : ''}`;
    });
  }
  if (!all(3, '01', undefined))
    return parts.map(([, year, month, day]) => `${year}-${month}-${day}`);
  return all(2, '01')
    ? parts.map(([, year]) => String(year))
    : parts.map(([, year, month]) => `${year}-${month}`);
};

/** How round a timestamp is: years before months before days before hours. */
const roundness = (timestamp: string): number => {
  const match = ISO.exec(timestamp);
  if (!match) return 0;
  const [, year, month, day = '01', clock = '00:00'] = match;
  const atMidnight = clock === '00:00';
  const atMonth = atMidnight && day === '01';
  const atYear = atMonth && month === '01';
  return (
    (clock.endsWith(':00') ? 1 : 0) +
    (atMidnight ? 1 : 0) +
    (atMonth ? 1 : 0) +
    (atYear ? 1 : 0) +
    (atYear && Number(year) % 5 === 0 ? 1 : 0) +
    (atYear && Number(year) % 10 === 0 ? 1 : 0)
  );
};

interface Axis {
  readonly timestamps: readonly string[];
  readonly texts: readonly string[];
  readonly columnOf: (position: number) => number;
  readonly width: number;
}

const place = ({ texts, columnOf, width }: Axis, position: number): TimeLabel => {
  const text = texts[position]!;
  const column = columnOf(position);
  const centred = column - Math.floor(text.length / 2);
  return { column, text, start: Math.max(0, Math.min(centred, width - text.length)) };
};

const GAP = 3;

const fits = (label: TimeLabel, others: readonly TimeLabel[]): boolean =>
  others.every(
    (other) =>
      label.start >= other.start + other.text.length + GAP ||
      label.start + label.text.length + GAP <= other.start,
  );

/** The roundest position that fits near the middle between two labels. */
const between = (
  axis: Axis,
  labels: readonly TimeLabel[],
  [from, to]: readonly [number, number],
): number | undefined => {
  const middle = (from + to) / 2;
  const reach = (to - from) / 4;
  let best: { position: number; score: number } | undefined;
  for (let position = Math.ceil(middle - reach); position <= middle + reach; position++) {
    if (position <= from || position >= to || !fits(place(axis, position), labels)) continue;
    const distance = Math.abs(position - middle) / (reach + 1);
    const score = roundness(axis.timestamps[position]!) - distance;
    if (!best || score > best.score) best = { position, score };
  }
  return best?.position;
};

/**
 * Labels for the first and the last timestamp, for the one where the forecast starts, and for round ones
 * between them as far as there is room.
 */
export const layoutTimeAxis = (
  timestamps: readonly string[],
  options: {
    readonly start: number | undefined;
    readonly columnOf: (position: number) => number;
    readonly width: number;
  },
): TimeLabel[] => {
  const { start, columnOf, width } = options;
  const axis: Axis = { timestamps, texts: shortenTimestamps(timestamps), columnOf, width };
  const last = timestamps.length - 1;
  const labels: TimeLabel[] = [];
  const placed: number[] = [];
  const add = (position: number) => {
    const label = place(axis, position);
    if (!fits(label, labels)) return;
    labels.push(label);
    placed.push(position);
  };
  for (const position of new Set([last, 0, start ?? last])) add(position);
  const gaps = placed.toSorted((a, b) => a - b).map((p, i, all) => [p, all[i + 1] ?? p] as const);
  while (gaps.length > 0) {
    const [from, to] = gaps.shift()!;
    const position = between(axis, labels, [from, to]);
    if (position === undefined) continue;
    add(position);
    gaps.push([from, position], [position, to]);
  }
  return labels.toSorted((a, b) => a.column - b.column);
};
