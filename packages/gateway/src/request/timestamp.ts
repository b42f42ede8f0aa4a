/** Times as clients write them: ISO 8601 with or without an offset, or seconds (milliseconds) since 1970. */

export interface Timestamp {
  /** Microseconds since 1970; a time without an offset counts as UTC. */
  readonly micros: number;
  readonly isZoned: boolean;
  /** The same time in one spelling: offset kept, UTC as Z, a fraction only where there is one. */
  readonly text: string;
}

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s?(?:([Zz])|([+-])(\d{2}):?(\d{2})?)?)?$/;

/** Epochs beyond this are milliseconds: in seconds it is the year 2603. */
const LARGEST_SECONDS = 2e10;
const LARGEST_MICROS = 253_402_300_800_000_000;
const MICROS_A_MINUTE = 60_000_000;

const two = (value: number): string => String(value).padStart(2, '0');

const fromEpoch = (value: number): Timestamp | undefined => {
  const micros = Math.round(Math.abs(value) > LARGEST_SECONDS ? value * 1e3 : value * 1e6);
  if (!Number.isFinite(micros) || Math.abs(micros) >= LARGEST_MICROS) return undefined;
  const seconds = Math.floor(micros / 1e6);
  const rest = micros - seconds * 1e6;
  const fraction = rest === 0 ? '' : `.${String(rest).padStart(6, '0')}`;
  const text = `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`;
  return { micros, isZoned: true, text };
};

const fromIso = (match: RegExpExecArray): Timestamp | undefined => {
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0)) as [number, number, number, number, number, number];
  const date = Date.UTC(year, month - 1, day);
  const isDay = new Date(date).getUTCMonth() === month - 1 && new Date(date).getUTCDate() === day;
  if (!isDay || hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction = (match[7] ?? '').slice(0, 6).padEnd(6, '0');
  const offsetMinutes = match[9]
    ? (Number(match[10]) * 60 + Number(match[11] ?? 0)) * (match[9] === '-' ? -1 : 1)
    : 0;
  if (Math.abs(offsetMinutes) >= 24 * 60) return undefined;
  const seconds = date / 1000 + hour * 3600 + minute * 60 + second;
  const zone =
    match[8] || (match[9] && offsetMinutes === 0)
      ? 'Z'
      : match[9]
        ? `${match[9]}${match[10]}:${match[11] ?? '00'}`
        : '';
  const clock = `${two(hour)}:${two(minute)}:${two(second)}`;
  const shown = Number(fraction) === 0 ? '' : `.${fraction}`;
  return {
    micros: seconds * 1e6 + Number(fraction) - offsetMinutes * MICROS_A_MINUTE,
    isZoned: zone !== '',
    text: `${match[1]}-${match[2]}-${match[3]}T${clock}${shown}${zone}`,
  };
};

/** The time, or undefined when it is none. */
export const parseTimestamp = (value: unknown): Timestamp | undefined => {
  if (typeof value === 'number') return fromEpoch(value);
  if (typeof value !== 'string') return undefined;
  const match = ISO.exec(value.trim());
  if (match) return fromIso(match);
  return /^[+-]?\d+(\.\d+)?$/.test(value.trim()) ? fromEpoch(Number(value)) : undefined;
};
