/** Progress notifications of one tool call, for clients that asked for them. */
import type { ServerContext } from '@modelcontextprotocol/server';

/** `done` of `total` in whatever unit; values must grow. */
export interface Progress extends Disposable {
  report(done: number, total: number, message: string): void;
}

/** Between two signs of life: well below the minute after which clients give a call up. */
const HEARTBEAT_MS = 10_000;

const SILENT: Progress = { report: () => {}, [Symbol.dispose]: () => {} };

/** Dispose it when the call ends. While nothing is reported it repeats the last message, a little further on. */
export const progressOf = ({ mcpReq }: Pick<ServerContext, 'mcpReq'>): Progress => {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return SILENT;
  let latest = { progress: 0, total: 1, message: 'working' };
  let beats = 0;
  const send = (progress: number): void => {
    const params = { ...latest, progress, progressToken };
    // A client that is gone is told so by the call itself.
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => {});
  };
  const heartbeat = setInterval(() => {
    beats++;
    send(latest.progress + 0.5 * (1 - 1 / (1 + beats)));
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    report(done, total, message) {
      beats = 0;
      latest = { progress: done, total, message };
      send(done);
    },
    [Symbol.dispose]: () => clearInterval(heartbeat),
  };
};
