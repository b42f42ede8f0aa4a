/** Waits between attempts. */
export interface BackoffSettings {
  readonly baseMs: number;
  readonly capMs: number;
  readonly jitterMs: number;
  /** additive: backoff + random * jitter; full: random * backoff. */
  readonly jitter: 'additive' | 'full';
}

/** The wait before attempt `attempt` + 1, attempts counted from 0; `random` in [0, 1). */
export const backoffMs = (settings: BackoffSettings, attempt: number, random: number): number => {
  const backoff = Math.min(settings.baseMs * 2 ** attempt, settings.capMs);
  return settings.jitter === 'full' ? random * backoff : backoff + random * settings.jitterMs;
};
