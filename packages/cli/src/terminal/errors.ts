import { EXIT, toTollamaError } from '@tollama/core/errors';
import { interruptedExitCode, isInterrupt } from './interrupt.ts';

/** Prints what failed, why, and what to do next on stderr; returns the exit code of its class. */
export const printError = (thrown: unknown): number => {
  if (isInterrupt(thrown)) {
    process.stderr.write('interrupted\n');
    return interruptedExitCode() ?? EXIT.interrupted;
  }
  const error = toTollamaError(thrown);
  process.stderr.write(`Error: ${error.message}\n`);
  if (error.hint) process.stderr.write(`Hint: ${error.hint}\n`);
  if (error.code === 'INTERNAL' && process.env.TOLLAMA_DEBUG) console.error(thrown);
  return error.exitCode === EXIT.interrupted
    ? (interruptedExitCode() ?? EXIT.interrupted)
    : error.exitCode;
};
