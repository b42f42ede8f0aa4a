/** Sizes and times as people read them. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Decimal units, as disks and downloads are sold: 3.3 GB. */
export const humanBytes = (bytes: number): string => {
  const step = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** step;
  return `${value < 10 && step > 0 ? value.toFixed(1) : Math.round(value)} ${UNITS[step]}`;
};

const SPANS: readonly (readonly [seconds: number, name: string])[] = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** 4 minutes, 1 hour, 12 seconds */
export const humanDuration = (ms: number): string => {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [size, name] = SPANS.find(([span]) => seconds >= span) ?? [1, 'second'];
  const count = Math.round(seconds / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
};

/** `3 minutes ago`, `4 minutes from now` */
export const humanTime = (time: number, now: number): string =>
  time > now ? `${humanDuration(time - now)} from now` : `${humanDuration(now - time)} ago`;

/** A number for a table: at most `digits` significant ones. */
export const humanNumber = (value: number, digits = 4): string =>
  Math.abs(value) >= 1e6 || (value !== 0 && Math.abs(value) < 1e-4)
    ? value.toExponential(digits - 1)
    : String(Number(value.toPrecision(digits)));
