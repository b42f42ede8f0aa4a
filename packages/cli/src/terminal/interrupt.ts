/** Ctrl-C and its kin: abort what is under way so that it can clean up; a second one ends the process at once. */

/** What shells take for a program that a signal ended: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
type EndSignal = keyof typeof EXIT_CODES;

let latest: EndSignal | undefined;

export class Interrupt extends Error {
  override readonly name = 'Interrupt';
}

export const isInterrupt = (thrown: unknown): boolean => thrown instanceof Interrupt;

/** The exit code of the signal that arrived; undefined without one. */
export const interruptedExitCode = (): number | undefined => latest && EXIT_CODES[latest];

/** A signal that Ctrl-C, SIGTERM and a terminal that is closed abort. */
export const interruptSignal = (): AbortSignal => {
  const controller = new AbortController();
  const stop = (signal: EndSignal): void => {
    latest = signal;
    if (controller.signal.aborted) process.exit(EXIT_CODES[signal]);
    controller.abort(new Interrupt('interrupted'));
  };
  for (const signal of Object.keys(EXIT_CODES) as EndSignal[]) {
    process.on(signal, () => stop(signal));
  }
  return controller.signal;
};
