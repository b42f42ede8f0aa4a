/** Sizes, times and counts as people read them. */

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/**
 * @example
 * formatBytes(191_000_000); // '191 MB'
 */
export const formatBytes = (bytes: number): string => {
  let unit = 0;
  let value = Math.max(0, bytes);
  while (value >= 1000 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
};

/**
 * @example
 * formatSeconds(3725); // '1 h 2 min'
 */
export const formatSeconds = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86_400)} d ${Math.floor((whole % 86_400) / 3600)} h`;
};

/** Milliseconds with as many digits as tell something. */
export const formatMilliseconds = (ms: number): string => {
  if (ms >= 10_000) return formatSeconds(ms / 1000);
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 100 ? Math.round(ms) : Number(ms.toPrecision(2))} ms`;
};

/** A value of a series: four digits that tell something, thousands grouped. */
export const formatValue = (value: number): string => {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e12)) return value.toExponential(3);
  const digits = size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
};

/** `in 4 min`, `2 h ago`. */
export const formatRelative = (at: number, now: number): string => {
  const seconds = Math.abs(at - now) / 1000;
  const [amount, unit] =
    seconds < 60
      ? [Math.round(seconds), 's']
      : seconds < 3600
        ? [Math.round(seconds / 60), 'min']
        : seconds < 86_400
          ? [Math.round(seconds / 3600), 'h']
          : [Math.round(seconds / 86_400), 'd'];
  return at >= now ? `in ${amount} ${unit}` : `${amount} ${unit} ago`;
};

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
