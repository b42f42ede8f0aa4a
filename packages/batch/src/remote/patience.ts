/** How long servers of remote inputs are waited for, and what is told meanwhile. */

export interface Patience {
  /** Tries of one request in all. */
  readonly attempts: number;
  /** Without a byte for so long, a connection is given up. */
  readonly idleMs: number;
  /** Waits between two tries; doubled each time. */
  readonly pauseMs: number;
}

export const PATIENCE: Patience = { attempts: 5, idleMs: 30_000, pauseMs: 300 };

/** How far the fetching of remote inputs is. */
export interface StagedBytes {
  readonly doneBytes: number;
  readonly totalBytes: number;
}
