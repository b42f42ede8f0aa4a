import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EXIT, errorMessage, TollamaError } from '@tollama/core/errors';
import { Command } from 'commander';
import { runtimeState } from '../doctor/runtime.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { withExamples } from './options.ts';

interface JsonOption {
  readonly json?: boolean;
}

/** Version of the library that this release is tested with. */
const RUNTIME = 'onnxruntime-node@1.30.0';
const INSTALL_TIMEOUT_MS = 600_000;

const list = async ({ json }: JsonOption): Promise<void> => {
  const { isUsable, providers, message } = await runtimeState();
  if (json) printJson({ runtime: RUNTIME, usable: isUsable, devices: providers, message });
  else console.log(`${RUNTIME}\n${message}`);
  if (!isUsable) process.exitCode = EXIT.checkFailed;
};

/** The folder whose node_modules the runner reads. */
const installFolder = (): string => {
  const runner = fileURLToPath(import.meta.resolve('@tollama/runner/bin/tollama-runner.mjs'));
  return dirname(dirname(runner));
};

/** Has npm fetch the library again; with GPU libraries where that is asked for. */
const fetchRuntime = async (gpu: boolean): Promise<void> => {
  const progress = createProgress('auto');
  progress.status(gpu ? 'installing the runtime with CUDA libraries' : 'installing the runtime');
  try {
    const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: gpu ? 'cuda12' : 'skip' };
    const args = ['install', '--no-save', '--force', '--no-audit', '--no-fund', RUNTIME];
    await promisify(execFile)('npm', args, {
      cwd: installFolder(),
      env,
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch (cause) {
    const reason = String((cause as { stderr?: string }).stderr || errorMessage(cause))
      .trim()
      .split('\n')[0];
    throw new TollamaError('DEPENDENCY_MISSING', `npm could not install ${RUNTIME}: ${reason}`, {
      hint: 'check the network and the registry; what was there before stays',
      cause,
    });
  } finally {
    progress.stop();
  }
};

const repair = async (): Promise<void> => {
  const before = await runtimeState();
  if (before.isUsable) {
    console.log(`nothing to repair: ${before.message}`);
    return;
  }
  await fetchRuntime(false);
  const after = await runtimeState();
  if (!after.isUsable) throw new TollamaError('DEPENDENCY_MISSING', after.message);
  console.log(after.message);
};

const install = async (name: string): Promise<void> => {
  if (name !== 'cpu' && name !== 'cuda') {
    throw new TollamaError('INVALID_REQUEST', `unknown runtime '${name}'`, {
      hint: 'use cpu or cuda',
    });
  }
  await fetchRuntime(name === 'cuda');
  console.log((await runtimeState()).message);
};

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
    .argument('<name>', 'cpu or cuda')
    .description('fetch it again, with GPU libraries for cuda')
    .action(install);
  command
    .command('repair')
    .description('fetch it again when it is missing or does not load')
    .action(repair);
  return withExamples(command, ['tollama runtime list', 'tollama runtime repair']);
};
