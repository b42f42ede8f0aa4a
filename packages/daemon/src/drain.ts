/** The end of a daemon: what is under way is answered first, as long as there is time. */
import type { Server } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

const LOOK_MS = 20;
/** An answer that is ready still has to be written. */
const WRITE_MS = 250;

export interface Draining {
  /** It accepts no more connections. */
  readonly server: Server;
  /** Settles when its last connection has ended. */
  readonly closed: Promise<unknown>;
  /** Forecasts that are being made or wait for it. */
  readonly underWay: () => number;
  /** What forecasts may take. */
  readonly drainMs: number;
}

/**
 * Waits until no forecast is under way and their answers are written, or the time is over. Connections that their
 * clients keep open are closed as soon as nothing is asked on them; other work, such as a pull, is not waited for.
 */
export const drain = async ({ server, closed, underWay, drainMs }: Draining): Promise<void> => {
  let isClosed = false;
  void closed.then(() => {
    isClosed = true;
  });
  const ends = performance.now() + drainMs;
  let writeEnds = performance.now() + Math.min(drainMs, WRITE_MS);
  for (;;) {
    server.closeIdleConnections();
    const now = performance.now();
    const isBusy = underWay() > 0;
    if (isBusy) writeEnds = now + WRITE_MS;
    if (isClosed && !isBusy) return;
    if (isBusy ? now >= ends : now >= writeEnds) return;
    await pause(LOOK_MS);
  }
};
