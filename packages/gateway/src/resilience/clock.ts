/** Time and waiting, as parameters, so that tests need not wait. */
export interface Clock {
  /** Milliseconds since 1970 that never run backwards within a process. */
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};
