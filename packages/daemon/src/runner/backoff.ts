const BACKOFF_BASE_MS = 100;
const BACKOFF_CAP_MS = 5000;

/** Wait before the next start after `failures` starts that failed: exponential, capped, with full jitter. */
export const backoffMs = (failures: number, random: number): number =>
  failures === 0 ? 0 : random * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (failures - 1));
