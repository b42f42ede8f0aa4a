import { fileURLToPath } from 'node:url';

/** The program of our own runner; it serves every family that we know. */
const runnerProgram = (): string =>
  fileURLToPath(import.meta.resolve('@tollama/runner/bin/tollama-runner.mjs'));

/**
 * argv for each family: what config.json's `daemon.runner_commands` says, else our runner under the Node
 * that runs the daemon.
 */
export const runnerCommands = (configured: Readonly<Record<string, readonly string[]>>) => {
  return (family: string): readonly string[] => {
    const own = configured[family];
    return own && own.length > 0 ? own : [process.execPath, runnerProgram(), '--family', family];
  };
};
