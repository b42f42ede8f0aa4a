import { fileURLToPath } from 'node:url';

/** The program of our own runner; it serves every family that we know. */
const runnerProgram = (): string =>
  fileURLToPath(import.meta.resolve('@tollama/runner/bin/tollama-runner.mjs'));

export interface RunnerCommand {
  readonly argv: readonly string[];
  /** Whether it is our own program, which reads only the end of the timestamps. */
  readonly isOwn: boolean;
}

/**
 * The command of each family: what config.json's `daemon.runner_commands` says, else our runner under the
 * Node that runs the daemon, which looks into the folder of `runtimes` for a native library of the user's choice.
 */
export const runnerCommands = (
  configured: Readonly<Record<string, readonly string[]>>,
  runtimes: string,
) => {
  const program = runnerProgram();
  return (family: string): RunnerCommand => {
    const given = configured[family];
    if (given && given.length > 0) return { argv: given, isOwn: false };
    return {
      argv: [process.execPath, program, '--family', family, '--runtimes', runtimes],
      isOwn: true,
    };
  };
};
