/** Ctrl-C: aborts what is under way so that it can clean up; a second one ends the process at once. */
import { EXIT } from '@tollama/core/errors';

export class Interrupt extends Error {
  override readonly name = 'Interrupt';
}

export const isInterrupt = (thrown: unknown): boolean => thrown instanceof Interrupt;

/** A signal that Ctrl-C and SIGTERM abort. */
export const interruptSignal = (): AbortSignal => {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Interrupt('interrupted'));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return controller.signal;
};
