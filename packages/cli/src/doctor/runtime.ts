/** Is the native library that runs models there, and does it load? Asked of another process: a wrong library may kill it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runtimesFolder } from '@tollama/core/runtime-choice';
import { readSettings } from '@tollama/core/settings';
import { readChoice } from '../runtime/choice.ts';

export interface RuntimeState {
  readonly isUsable: boolean;
  readonly message: string;
  /** Execution providers that it brings. */
  readonly providers: readonly string[];
}

const PROBE = `
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
const [, place] = process.argv;
const path = place.startsWith('file:') ? fileURLToPath(place) : place;
const { listSupportedBackends } = createRequire(import.meta.url)(path);
console.log(JSON.stringify(listSupportedBackends().map(({ name }) => name)));
`;

const TIMEOUT_MS = 20_000;

/** The library as the runner would find it. */
const location = (): string | undefined => {
  try {
    const runner = import.meta.resolve('@tollama/runner/bin/tollama-runner.mjs');
    return import.meta.resolve('onnxruntime-node', runner);
  } catch {
    return undefined;
  }
};

/** Loads a runtime in a process of its own and asks it for its devices. `path`: its package or its file. */
export const probeRuntime = async (path: string): Promise<RuntimeState> => {
  try {
    const args = ['--input-type=module', '--eval', PROBE, path];
    const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
    const providers = JSON.parse(stdout.trim()) as string[];
    return {
      isUsable: true,
      providers,
      message: `onnxruntime loads; devices: ${providers.join(', ')}`,
    };
  } catch (error) {
    const [reason] = String((error as { stderr?: string }).stderr || error)
      .split('\n')
      .filter((line) => /error/i.test(line));
    return {
      isUsable: false,
      providers: [],
      message: `onnxruntime-node does not load (${reason?.trim() ?? 'no reason given'}); \`tollama runtime repair\` fetches it again`,
    };
  }
};

/** The runtime that runners load: an installed one before the one that came with tollama. */
export const runtimeState = async (): Promise<RuntimeState> => {
  const choice = await readChoice(runtimesFolder(readSettings(process.env).home));
  const path = choice?.folder ?? location();
  if (path) return probeRuntime(path);
  return {
    isUsable: false,
    providers: [],
    message: 'onnxruntime-node is not installed; `tollama runtime repair` fetches it',
  };
};
