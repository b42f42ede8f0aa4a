import { fileURLToPath } from 'node:url';
import { errorMessage, toTollamaError } from '@tollama/core/errors';
import { readSettings, type Settings } from '@tollama/core/settings';
import { endWhenIdle, endWhenReplaced } from './activity.ts';
import { startDaemon } from './serve.ts';

/** What the command line overrides. */
export type ServeOverrides = Partial<Pick<Settings, 'host' | 'port' | 'grpcPort' | 'logLevel'>>;

export interface RunOptions {
  /** Ends when nobody asked anything for that long. */
  readonly idleExitMs?: number | undefined;
  /** Families whose runners are started at once. */
  readonly warm?: readonly string[] | undefined;
}

/**
 * Runs a daemon until SIGTERM or SIGINT, then stops its runners and ends the process. Flags override the
 * environment, the environment overrides the defaults. A failed start exits with the error's code.
 */
export const runDaemon = async (
  overrides: ServeOverrides = {},
  { idleExitMs, warm = [] }: RunOptions = {},
): Promise<void> => {
  try {
    const settings = { ...readSettings(process.env), ...overrides };
    const daemon = await startDaemon(settings, process.env);
    for (const family of warm) daemon.context.supervisor.warm(family);
    const stop = async (): Promise<void> => {
      await daemon[Symbol.asyncDispose]();
      process.exit(0);
    };
    if (idleExitMs !== undefined) {
      const { activity } = daemon.context;
      endWhenIdle(activity, idleExitMs, () => void stop());
      await endWhenReplaced(activity, fileURLToPath(import.meta.url), () => void stop());
    }
    process.once('SIGTERM', () => void stop());
    process.once('SIGINT', () => void stop());
  } catch (error) {
    const { hint, exitCode } = toTollamaError(error);
    console.error(`Error: ${errorMessage(error)}`);
    if (hint) console.error(`Hint: ${hint}`);
    process.exit(exitCode);
  }
};
