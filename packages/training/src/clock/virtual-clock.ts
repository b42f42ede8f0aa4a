/** A clock that moves when it is told to: the same events at the same times in every run. */
import type { Clock } from './clock.ts';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly callback: () => void;
}

export interface VirtualClock extends Clock {
  /** Lets time pass up to `at`, calling what falls due, in order of time and then of registration. */
  readonly advanceTo: (at: number) => Promise<void>;
  /** Lets time pass until no timer is left. */
  readonly runAll: () => Promise<void>;
}

/** Promises settle through several turns of the microtask queue; a macrotask ends them all. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const virtualClock = (start = 0): VirtualClock => {
  let now = start;
  let order = 0;
  const timers = new Set<Timer>();
  const next = (): Timer | undefined =>
    [...timers].sort((a, b) => a.at - b.at || a.order - b.order)[0];
  const fire = async (timer: Timer): Promise<void> => {
    timers.delete(timer);
    now = Math.max(now, timer.at);
    timer.callback();
    await settle();
  };
  return {
    now: () => now,
    after: (ms, callback) => {
      const timer = { at: now + Math.max(0, ms), order: order++, callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advanceTo: async (at) => {
      await settle();
      for (let timer = next(); timer && timer.at <= at; timer = next()) await fire(timer);
      now = Math.max(now, at);
    },
    runAll: async () => {
      await settle();
      for (let timer = next(); timer; timer = next()) await fire(timer);
    },
  };
};
