/** Who holds a lease of a journal: a process of this machine, named in the token so that others see when it is gone. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';

/** Tells this process from an earlier one that had the same number, as those of containers have. */
const RUN = randomUUID().slice(0, 8);

const PARTS = /^(.+)\/(\d+)\/([0-9a-f]{8})\/[0-9a-f-]+$/;

/** @example 'host/4711/0a1b2c3d/<uuid>' */
export const newToken = (): string => `${hostname()}/${process.pid}/${RUN}/${randomUUID()}`;

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
};

/** Whether the process that took the lease is known to have ended; of another machine nothing is known. */
export const isHolderGone = (token: string): boolean => {
  const [, host, pid, run] = PARTS.exec(token) ?? [];
  if (host !== hostname()) return false;
  return Number(pid) === process.pid ? run !== RUN : !isAlive(Number(pid));
};
