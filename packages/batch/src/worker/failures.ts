/** Whose fault a failure is, which decides what happens next. */
import { type ErrorCode, TollamaError } from '@tollama/core/errors';

/** Nothing of the run can succeed until somebody does something: it stops, and goes on when started again. */
const STOPPING: ReadonlySet<string> = new Set<ErrorCode>([
  'MODEL_NOT_FOUND',
  'MODEL_UNSUPPORTED',
  'UNAUTHORIZED',
  'LICENSE_REQUIRED',
  'CONFIG_INVALID',
  'CHECKPOINT_INVALID',
  'GRAPH_INVALID',
  'DEPENDENCY_MISSING',
  'DAEMON_UNREACHABLE',
]);

/** It may work in a moment, or on another machine. */
const PASSING: ReadonlySet<string> = new Set<ErrorCode>([
  'RATE_LIMITED',
  'RUNNER_UNAVAILABLE',
  'BUSY',
  'INTERRUPTED',
]);

/** Whether a failure of this code ends the run. */
export const stopsRun = (code: string): boolean => STOPPING.has(code);

/** Whether forecasting fewer series can tell which one is to blame. */
export const isOfOneSeries = (error: unknown): boolean =>
  !(error instanceof TollamaError) || !(STOPPING.has(error.code) || PASSING.has(error.code));
