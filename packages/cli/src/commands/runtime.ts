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

const install = async (name: RuntimeName): Promise<void> => {
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

const remove = async (name: RuntimeName): Promise<void> => {
  if (!(await removeRuntime(runtimes(), name))) {
    throw new TollamaError('NOT_FOUND', `the runtime '${name}' is not installed`, {
      hint: '`tollama runtime list` shows what is',
    });
  }
  console.log((await runtimeState()).message);
};

const nameArgument = (): Argument =>
  new Argument('<name>', 'cpu or cuda').choices([...RUNTIME_NAMES]);

export const runtimeCommand = (): Command => {
  const command = new Command('runtime').description(
    'the native library that runs models: what it can, and mending it',
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
    'tollama runtime repair',
  ]);
};
