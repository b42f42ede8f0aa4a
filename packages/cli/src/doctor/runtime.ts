/** Is the native library that runs models there, and does it load? Asked of another process: a wrong library may kill it. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export interface RuntimeState {
  readonly isUsable: boolean;
  readonly message: string;
  /** Execution providers that it brings. */
  readonly providers: readonly string[];
}

const PROBE = `
const runtime = await import(process.argv[1]);
const { listSupportedBackends } = runtime.default ?? runtime;
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

export const runtimeState = async (): Promise<RuntimeState> => {
  const path = location();
  if (!path) {
    return {
      isUsable: false,
      providers: [],
      message:
        'onnxruntime-node is not installed; `npm install` in the folder of tollama repairs it',
    };
  }
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
