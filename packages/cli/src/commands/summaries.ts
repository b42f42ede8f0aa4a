/** What the list of commands says of each: printed without loading one of them. `command-list.test.ts` holds them to the commands. */
import { Command } from 'commander';

export interface CommandSummary {
  readonly alias?: string;
  readonly arguments?: string;
  readonly hasOptions?: boolean;
  readonly description: string;
}

export const SUMMARIES: Readonly<Record<string, CommandSummary>> = {
  serve: {
    alias: 'start',
    hasOptions: true,
    description: 'run the daemon',
  },
  run: {
    alias: 'forecast',
    arguments: '[model] [file]',
    hasOptions: true,
    description: 'forecast series of a file or of stdin; draws them, or prints JSON',
  },
  compare: {
    alias: 'backtest',
    arguments: '[models...]',
    hasOptions: true,
    description:
      'score models on the ends of your own series, rolling the origin; seasonal naive is always in the table',
  },
  evaluate: {
    hasOptions: true,
    description: 'score models by the protocol of a benchmark; a run that was cut off goes on',
  },
  train: {
    arguments: '[model]',
    hasOptions: true,
    description: 'adapt a model to your series, or train one from scratch',
  },
  ensemble: {
    arguments: '[models...]',
    hasOptions: true,
    description: 'combine the forecasts of several models; calibrate them; make them add up',
  },
  detect: {
    arguments: '[model] [file]',
    hasOptions: true,
    description: 'find values that lie outside of what a model expected before it saw them',
  },
  batch: {
    arguments: '<panel...>',
    hasOptions: true,
    description: 'forecast a whole panel into Parquet; a run that was cut off goes on',
  },
  worker: {
    hasOptions: true,
    description: 'take chunks of `tollama batch` from a shared queue, until it is stopped',
  },
  pull: {
    arguments: '<model>',
    hasOptions: true,
    description:
      'install a model: a name of the registry, owner/name[@revision] of the hub, or a folder',
  },
  list: {
    alias: 'ls',
    arguments: '[prefix]',
    hasOptions: true,
    description: 'list installed models',
  },
  ps: {
    hasOptions: true,
    description: 'list loaded models, their memory, and until when they stay',
  },
  top: {
    hasOptions: true,
    description: 'watch the daemon: models, queues, latency, memory; once where no terminal is',
  },
  show: {
    arguments: '<model>',
    hasOptions: true,
    description: 'show what a model is and where it came from',
  },
  create: {
    arguments: '<name>',
    hasOptions: true,
    description:
      'make a model: another one with settings of its own, or one with random weights of any size',
  },
  rm: {
    arguments: '<model...>',
    hasOptions: true,
    description: 'remove models',
  },
  stop: {
    arguments: '<model>',
    hasOptions: true,
    description: 'free the memory of a loaded model',
  },
  cp: {
    arguments: '<source> <destination>',
    hasOptions: true,
    description: 'the same model under another name; weights are linked, not copied',
  },
  verify: {
    arguments: '<model>',
    hasOptions: true,
    description: 'compare the files of a model with the hashes they were pulled with',
  },
  prune: {
    hasOptions: true,
    description:
      'remove half downloads, leftovers of crashes and graph files that can be made again',
  },
  export: {
    arguments: '<model>',
    hasOptions: true,
    description: 'write a model as ONNX that runs without tollama, or as a Triton repository',
  },
  info: {
    hasOptions: true,
    description: 'how the daemon is set up and what it does; without one, what is known here',
  },
  doctor: {
    hasOptions: true,
    description: 'look for what may be wrong, and say what to do',
  },
  gateway: {
    hasOptions: true,
    description: 'run the forecast gateway: an answer within the deadline, whatever fails',
  },
  bench: {
    description: 'measure parts of tollama',
  },
  config: {
    description: 'read and write config.json',
  },
  runtime: {
    description: 'native libraries: the one that runs models, and DuckDB for panels',
  },
  mcp: {
    hasOptions: true,
    description: 'serve forecasts to language models over the Model Context Protocol',
  },
  completion: {
    arguments: '<shell>',
    description: 'print completions for a shell',
  },
};

/** A command that can be listed, not run. */
export const listedCommand = (name: string, summary: CommandSummary): Command => {
  const command = new Command(name).description(summary.description);
  if (summary.alias) command.alias(summary.alias);
  if (summary.arguments) command.arguments(summary.arguments);
  // Any option makes the list say [options].
  if (summary.hasOptions) command.option('--json');
  return command;
};
