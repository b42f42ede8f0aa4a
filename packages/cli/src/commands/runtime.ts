import { EXIT, TollamaError } from '@tollama/core/errors';
import { runtimesFolder } from '@tollama/core/runtime-choice';
import { readSettings } from '@tollama/core/settings';
import { Argument, Command } from 'commander';
import { runtimeState } from '../doctor/runtime.ts';
import {
  installedRuntimes,
  RUNTIME_NAMES,
  type RuntimeName,
  readChoice,
} from '../runtime/choice.ts';
import { installDuckDb, removeDuckDb } from '../runtime/duckdb.ts';
import { installRuntime, RUNTIME_VERSION, removeRuntime } from '../runtime/install.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { withExamples } from './options.ts';

interface JsonOption {
  readonly json?: boolean;
}

const runtimes = (): string => runtimesFolder(readSettings(process.env).home);

const list = async ({ json }: JsonOption): Promise<void> => {
  const { isUsable, providers, message } = await runtimeState();
  const used = (await readChoice(runtimes()))?.name ?? 'built in';
  const installed = await installedRuntimes(runtimes());
  const runtime = `onnxruntime-node@${RUNTIME_VERSION}`;
  if (json) printJson({ runtime, used, installed, usable: isUsable, devices: providers, message });
  else console.log(`${runtime}, ${used}\n${message}`);
  if (!isUsable) process.exitCode = EXIT.checkFailed;
};

const fetchRuntime = async (name: RuntimeName): Promise<string> => {
  const progress = createProgress('auto');
  progress.status(`installing the runtime '${name}'`);
  try {
    return (await installRuntime(runtimes(), name)).message;
  } finally {
    progress.stop();
  }
};

const installDatabase = async (): Promise<void> => {
  const progress = createProgress('auto');
  progress.status('installing DuckDB');
  try {
    const version = await installDuckDb(runtimes());
    progress.stop();
    console.log(`DuckDB ${version} is there: \`tollama batch\` and .duckdb files use it`);
  } finally {
    progress.stop();
  }
};

const install = async (name: InstallableName): Promise<void> => {
  if (name === 'duckdb') return installDatabase();
  console.log(await fetchRuntime(name));
  console.log('Runners that start from now on use it; `tollama stop` ends those that run.');
};

/** Fetches again what does not load: the installed runtime, or the one that came with tollama. */
const repair = async (): Promise<void> => {
  const before = await runtimeState();
  if (before.isUsable) {
    console.log(`nothing to repair: ${before.message}`);
    return;
  }
  const broken = (await readChoice(runtimes()))?.name;
  console.log(await fetchRuntime(broken === 'cuda' ? 'cuda' : 'cpu'));
};

const remove = async (name: InstallableName): Promise<void> => {
  const isDatabase = name === 'duckdb';
  const take = isDatabase ? removeDuckDb(runtimes()) : removeRuntime(runtimes(), name);
  if (!(await take)) {
    throw new TollamaError('NOT_FOUND', `the runtime '${name}' is not installed`, {
      hint: '`tollama runtime list` shows what is',
    });
  }
  console.log(isDatabase ? 'DuckDB is removed' : (await runtimeState()).message);
};

/** Libraries that come by themselves: those that run models, and DuckDB. */
const INSTALLABLE = [...RUNTIME_NAMES, 'duckdb'] as const;
type InstallableName = (typeof INSTALLABLE)[number];

const nameArgument = (): Argument =>
  new Argument('<name>', 'cpu, cuda or duckdb').choices([...INSTALLABLE]);

export const runtimeCommand = (): Command => {
  const command = new Command('runtime').description(
    'native libraries: the one that runs models, and DuckDB for panels',
  );
  command
    .command('list')
    .description('the library and the devices that it knows')
    .option('--json', 'print JSON')
    .action(list);
  command
    .command('install')
    .addArgument(nameArgument())
    .description('fetch it into the state folder, with GPU libraries for cuda, and use it')
    .action(install);
  command
    .command('repair')
    .description('fetch it again when it is missing or does not load')
    .action(repair);
  command
    .command('remove')
    .addArgument(nameArgument())
    .description('go back to the library that came with tollama')
    .action(remove);
  return withExamples(command, [
    'tollama runtime list',
    'tollama runtime install cuda',
    'tollama runtime install duckdb',
    'tollama runtime repair',
  ]);
};
