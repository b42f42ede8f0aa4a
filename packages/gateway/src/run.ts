import { errorMessage, toTollamaError } from '@tollama/core/errors';
import { type ServeOptions, startGateway } from './serve.ts';

/**
 * Runs a gateway until SIGTERM or SIGINT, then drains it and ends the process; SIGHUP reads the configuration
 * again. A failed start exits with the error's code.
 */
export const runGateway = async (options: ServeOptions): Promise<void> => {
  try {
    const running = await startGateway(options, process.env);
    const stop = async (): Promise<void> => {
      await running[Symbol.asyncDispose]();
      process.exit(0);
    };
    process.once('SIGTERM', () => void stop());
    process.once('SIGINT', () => void stop());
    process.on('SIGHUP', () => void running.reload());
  } catch (error) {
    const { hint, exitCode } = toTollamaError(error);
    console.error(`Error: ${errorMessage(error)}`);
    if (hint) console.error(`Hint: ${hint}`);
    process.exit(exitCode);
  }
};
