/** The `tollama` command: parses, dispatches, and turns what is thrown into a message and an exit code. */
import { didYouMean } from '@tollama/core/did-you-mean';
import { EXIT, TollamaError } from '@tollama/core/errors';
import { VERSION } from '@tollama/core/version';
import { Command, CommanderError } from 'commander';
import { listedCommand, SUMMARIES } from './commands/summaries.ts';
import { printError } from './terminal/errors.ts';
import { traceCommand } from './terminal/trace-command.ts';

/** Each command is loaded when it is used: whoever lists models needs no reader of Parquet files. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  serve: async () => (await import('./commands/serve.ts')).serveCommand(),
  run: async () => (await import('./commands/run.ts')).runCommand(),
  compare: async () => (await import('./commands/compare.ts')).compareCommand(),
  evaluate: async () => (await import('./commands/evaluate.ts')).evaluateCommand(),
  train: async () => (await import('./commands/train.ts')).trainCommand(),
  ensemble: async () => (await import('./commands/ensemble.ts')).ensembleCommand(),
  detect: async () => (await import('./commands/detect.ts')).detectCommand(),
  batch: async () => (await import('./commands/batch.ts')).batchCommand(),
  worker: async () => (await import('./commands/worker.ts')).workerCommand(),
  pull: async () => (await import('./commands/pull.ts')).pullCommand(),
  list: async () => (await import('./commands/list.ts')).listCommand(),
  ps: async () => (await import('./commands/ps.ts')).psCommand(),
  top: async () => (await import('./commands/top.ts')).topCommand(),
  show: async () => (await import('./commands/show.ts')).showCommand(),
  create: async () => (await import('./commands/create.ts')).createCommand(),
  rm: async () => (await import('./commands/rm.ts')).rmCommand(),
  stop: async () => (await import('./commands/stop.ts')).stopCommand(),
  cp: async () => (await import('./commands/cp.ts')).cpCommand(),
  verify: async () => (await import('./commands/verify.ts')).verifyCommand(),
  prune: async () => (await import('./commands/prune.ts')).pruneCommand(),
  export: async () => (await import('./commands/export.ts')).exportCommand(),
  info: async () => (await import('./commands/info.ts')).infoCommand(),
  doctor: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  gateway: async () => (await import('./commands/gateway.ts')).gatewayCommand(),
  bench: async () => (await import('./commands/bench.ts')).benchCommand(),
  config: async () => (await import('./commands/config.ts')).configCommand(),
  runtime: async () => (await import('./commands/runtime.ts')).runtimeCommand(),
  mcp: async () => (await import('./commands/mcp.ts')).mcpCommand(),
  completion: async () => (await import('./commands/completion.ts')).completionCommand(),
};

const ALIASES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(SUMMARIES).flatMap(([name, { alias }]) => (alias ? [[alias, name]] : [])),
);

const outputError = (text: string, write: (text: string) => void): void =>
  write(text.replace(/^error:/, 'Error:'));

/** Lets `main` decide the exit code, of a command and of its own commands; their errors begin as ours do. */
const withExits = (command: Command): Command => {
  for (const inner of command.commands) withExits(inner);
  return command.exitOverride().configureOutput({ outputError });
};

const unknownCommand = (word: string): TollamaError => {
  const near = didYouMean(word, [...Object.keys(COMMANDS), ...Object.keys(ALIASES)]);
  return new TollamaError('INVALID_REQUEST', `unknown command '${word}'`, {
    hint: near ? `did you mean 'tollama ${near}'?` : '`tollama --help` lists the commands',
  });
};

const listedCommands = (): readonly Command[] =>
  Object.entries(SUMMARIES).map(([name, summary]) => listedCommand(name, summary));

/** All commands, loaded. */
export const allCommands = (): Promise<readonly Command[]> =>
  Promise.all(Object.values(COMMANDS).map((each) => each()));

/** The command that the arguments name; all of them for completions, their list for help. */
const loadCommands = async (argv: readonly string[]): Promise<readonly Command[]> => {
  const word = argv[2] ?? '';
  const name = Object.hasOwn(ALIASES, word) ? ALIASES[word]! : word;
  if (Object.hasOwn(COMMANDS, name) && name !== 'completion') return [await COMMANDS[name]!()];
  if (name === 'completion') return allCommands();
  if (name !== '' && !name.startsWith('-')) throw unknownCommand(word);
  return listedCommands();
};

export const buildProgram = (commands: readonly Command[]): Command => {
  const program = new Command('tollama')
    .description('Time-series foundation models without Python: pull, run and serve forecasts.')
    .version(VERSION, '-v, --version', 'print the version')
    .showSuggestionAfterError(true)
    // Options belong to the command that they follow: `train` and `train harness` both have --epochs.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ outputError });
  for (const command of commands) program.addCommand(withExits(command));
  program.action(() => program.help());
  return program;
};

/** `tollama help list` asks what `tollama list --help` asks. */
const withHelpLast = ([node, program, first, ...rest]: readonly string[]): readonly string[] =>
  first === 'help'
    ? [node!, program!, ...rest, '--help']
    : [node!, program!, ...(first === undefined ? [] : [first, ...rest])];

/** Runs the command line and leaves the exit code in the process. */
export const main = async (processArgv: readonly string[]): Promise<void> => {
  const argv = withHelpLast(processArgv);
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok);
    if (error.code !== 'EIO') throw error;
  });
  // Nor is a terminal that was closed (EIO): what is under way still cleans up.
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
  try {
    const program = buildProgram(await loadCommands(argv));
    await traceCommand(argv, process.env, () => program.parseAsync(argv));
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
      return;
    }
    process.exitCode = printError(error);
  }
};
