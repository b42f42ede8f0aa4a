/** The longest wait of `setTimeout`, 24.8 days: it takes anything longer for no wait at all. */
const LONGEST_MS = 2 ** 31 - 1;

/** A wait as timers can take it; one that is over is no wait. */
export const timerMs = (milliseconds: number): number =>
  Math.min(Math.max(milliseconds, 0), LONGEST_MS);
