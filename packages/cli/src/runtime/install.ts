/** Runtimes in the state folder: npm fetches them and checks their hashes, a probe loads them, only then they count. */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { type RuntimeChoice, runtimeChoicePath } from '@tollama/core/runtime-choice';
import { probeRuntime, type RuntimeState } from '../doctor/runtime.ts';
import { installedRuntimes, type RuntimeName, readChoice } from './choice.ts';

/** Version of the library that this release is tested with. */
export const RUNTIME_VERSION = '1.30.0';
const PACKAGE = 'onnxruntime-node';
const INSTALL_TIMEOUT_MS = 600_000;

const npmFailed = (cause: unknown): TollamaError => {
  const { code, stderr } = cause as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') {
    return new TollamaError('DEPENDENCY_MISSING', 'npm is not installed', {
      hint: 'install Node with npm; the runtime that came with tollama stays in use',
      cause,
    });
  }
  const lines = (stderr || errorMessage(cause))
    .split('\n')
    .filter((line) => line.trim() && !line.startsWith('npm warn'));
  const reason =
    lines.find((line) => /EINTEGRITY|E404|ECONN|ETARGET|ENOTFOUND/.test(line)) ?? lines[0];
  return new TollamaError(
    'DEPENDENCY_MISSING',
    `npm could not install ${PACKAGE}@${RUNTIME_VERSION}: ${reason?.trim()}`,
    { hint: 'check the network and the registry; what was there before stays in use', cause },
  );
};

/** Has npm put the package into a folder of its own; GPU libraries come by the package's own script. */
const fetchPackage = async (folder: string, name: RuntimeName): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{"private": true}\n');
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: name === 'cuda' ? 'cuda12' : 'skip' };
  const scripts = name === 'cuda' ? [] : ['--ignore-scripts'];
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', ...scripts];
  try {
    await promisify(execFile)('npm', [...args, `${PACKAGE}@${RUNTIME_VERSION}`], {
      cwd: folder,
      env,
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch (cause) {
    throw npmFailed(cause);
  }
};

const use = async (runtimes: string, choice: RuntimeChoice): Promise<void> => {
  const path = runtimeChoicePath(runtimes);
  await writeFile(`${path}.tmp`, `${JSON.stringify(choice, null, 2)}\n`);
  await rename(`${path}.tmp`, path);
};

/**
 * Fetches a runtime and has runners that start from now on use it. Throws DEPENDENCY_MISSING when it cannot
 * be had, or does not load; what was in use before stays so.
 */
export const installRuntime = async (
  runtimes: string,
  name: RuntimeName,
): Promise<RuntimeState> => {
  const partial = join(runtimes, `${name}.partial`);
  const place = join(runtimes, name);
  await rm(partial, { recursive: true, force: true });
  try {
    await fetchPackage(partial, name);
    const state = await probeRuntime(join(partial, 'node_modules', PACKAGE));
    if (!state.isUsable) throw new TollamaError('DEPENDENCY_MISSING', state.message);
    await rm(place, { recursive: true, force: true });
    await rename(partial, place);
    const folder = join(place, 'node_modules', PACKAGE);
    await use(runtimes, { name, version: RUNTIME_VERSION, folder });
    return state;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
};

/** Takes a runtime away; runners go back to the one that came with tollama. Tells whether it was there. */
export const removeRuntime = async (runtimes: string, name: RuntimeName): Promise<boolean> => {
  const isThere = (await installedRuntimes(runtimes)).includes(name);
  const choice = await readChoice(runtimes);
  if (choice?.name === name) await rm(runtimeChoicePath(runtimes), { force: true });
  await rm(join(runtimes, name), { recursive: true, force: true });
  return isThere;
};
