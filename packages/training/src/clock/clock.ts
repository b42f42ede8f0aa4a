/** Time and timers as parameters, so that tests of deadlines need not wait. */

export interface Clock {
  /** Milliseconds that never run backwards. */
  readonly now: () => number;
  /** Calls back once after `ms`; the answer cancels. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
