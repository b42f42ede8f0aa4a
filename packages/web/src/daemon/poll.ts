/** Asks again and again while somebody looks; a hidden page asks nothing. */

export interface Poll {
  /** Asks anew: what was under way before this call does not count. */
  renew(): Promise<void>;
  stop(): void;
}

/** Calls `work` now and `intervalMs` after each end. */
export const startPoll = (work: () => Promise<void>, intervalMs: number): Poll => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isStopped = false;
  let running: Promise<void> | undefined;
  const schedule = (): void => {
    clearTimeout(timer);
    if (!isStopped && !document.hidden) timer = setTimeout(() => void refresh(), intervalMs);
  };
  const refresh = (): Promise<void> => {
    running ??= work().finally(() => {
      running = undefined;
      schedule();
    });
    return running;
  };
  const onVisible = (): void => {
    if (!document.hidden) void refresh();
  };
  document.addEventListener('visibilitychange', onVisible);
  void refresh();
  return {
    async renew() {
      await running;
      await refresh();
    },
    stop() {
      isStopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', onVisible);
    },
  };
};
