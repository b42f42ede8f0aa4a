/** The `tollama` command: parses, dispatches, and turns what is thrown into a message and an exit code. */
import { didYouMean } from '@tollama/core/did-you-mean';
import { EXIT } from '@tollama/core/errors';
import { VERSION } from '@tollama/core/version';
import { Command, CommanderError } from 'commander';
import { benchCommand } from './commands/bench.ts';
import { compareCommand } from './commands/compare.ts';
import { completionCommand } from './commands/completion.ts';
import { configCommand } from './commands/config.ts';
import { cpCommand } from './commands/cp.ts';
import { createCommand } from './commands/create.ts';
import { detectCommand } from './commands/detect.ts';
import { doctorCommand } from './commands/doctor.ts';
import { ensembleCommand } from './commands/ensemble.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { gatewayCommand } from './commands/gateway.ts';
import { infoCommand } from './commands/info.ts';
import { listCommand } from './commands/list.ts';
import { mcpCommand } from './commands/mcp.ts';
import { pruneCommand } from './commands/prune.ts';
import { psCommand } from './commands/ps.ts';
import { pullCommand } from './commands/pull.ts';
import { rmCommand } from './commands/rm.ts';
import { runCommand } from './commands/run.ts';
import { runtimeCommand } from './commands/runtime.ts';
import { serveCommand } from './commands/serve.ts';
import { showCommand } from './commands/show.ts';
import { stopCommand } from './commands/stop.ts';
import { trainCommand } from './commands/train.ts';
import { verifyCommand } from './commands/verify.ts';
import { printError } from './terminal/errors.ts';
import { traceCommand } from './terminal/trace-command.ts';

const COMMANDS = [
  serveCommand,
  runCommand,
  compareCommand,
  evaluateCommand,
  trainCommand,
  ensembleCommand,
  detectCommand,
  pullCommand,
  listCommand,
  psCommand,
  showCommand,
  createCommand,
  rmCommand,
  stopCommand,
  cpCommand,
  verifyCommand,
  pruneCommand,
  infoCommand,
  doctorCommand,
  gatewayCommand,
  benchCommand,
  configCommand,
  runtimeCommand,
  mcpCommand,
  completionCommand,
] as const;

/** Lets `main` decide the exit code, of a command and of its own commands. */
const withExits = (command: Command): Command => {
  for (const inner of command.commands) withExits(inner);
  return command.exitOverride();
};

const buildProgram = (): Command => {
  const program = new Command('tollama')
    .description('Time-series foundation models without Python: pull, run and serve forecasts.')
    .version(VERSION, '-v, --version', 'print the version')
    .showSuggestionAfterError(true)
    // Options belong to the command that they follow: `train` and `train harness` both have --epochs.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error:/, 'Error:')) });
  for (const build of COMMANDS) program.addCommand(withExits(build()));
  program.on('command:*', ([name]: string[]) => {
    const near = didYouMean(
      name ?? '',
      program.commands.map((command) => command.name()),
    );
    console.error(`Error: unknown command '${name}'`);
    console.error(
      near ? `Hint: did you mean 'tollama ${near}'?` : 'Hint: `tollama --help` lists the commands',
    );
    process.exitCode = EXIT.usage;
  });
  program.action(() => program.help());
  return program;
};

/** Runs the command line and leaves the exit code in the process. */
export const main = async (argv: readonly string[]): Promise<void> => {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    throw error;
  });
  try {
    await traceCommand(argv, process.env, () => buildProgram().parseAsync(argv));
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    process.exitCode = printError(error);
  }
};
