import { errorMessage, toTollamaError } from '@tollama/core/errors';
import { readSettings, type Settings } from '@tollama/core/settings';
import { endWhenIdle } from './activity.ts';
import { startDaemon } from './serve.ts';

/** What the command line overrides. */
export type ServeOverrides = Partial<Pick<Settings, 'host' | 'port' | 'logLevel'>>;

/**
 * Runs a daemon until SIGTERM or SIGINT, then stops its runners and ends the process. Flags override the
 * environment, the environment overrides the defaults. With `idleExitMs` it ends when nobody asked
 * anything for that long. A failed start exits with the error's code.
 */
export const runDaemon = async (
  overrides: ServeOverrides = {},
  idleExitMs?: number,
): Promise<void> => {
  try {
    const settings = { ...readSettings(process.env), ...overrides };
    const daemon = await startDaemon(settings, process.env);
    const stop = async (): Promise<void> => {
      await daemon[Symbol.asyncDispose]();
      process.exit(0);
    };
    if (idleExitMs !== undefined)
      endWhenIdle(daemon.context.activity, idleExitMs, () => void stop());
    process.once('SIGTERM', () => void stop());
    process.once('SIGINT', () => void stop());
  } catch (error) {
    const { hint, exitCode } = toTollamaError(error);
    console.error(`Error: ${errorMessage(error)}`);
    if (hint) console.error(`Hint: ${hint}`);
    process.exit(exitCode);
  }
};
