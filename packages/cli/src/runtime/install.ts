/** Runtimes in the state folder: npm fetches them and checks their hashes, a probe loads them, only then they count. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { type RuntimeChoice, runtimeChoicePath } from '@tollama/core/runtime-choice';
import { probeRuntime, type RuntimeState } from '../doctor/runtime.ts';
import { installedRuntimes, type RuntimeName, readChoice } from './choice.ts';
import { fetchPackage } from './fetch-package.ts';

/** Version of the library that this release is tested with. */
export const RUNTIME_VERSION = '1.30.0';
const PACKAGE = 'onnxruntime-node';

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
    // GPU libraries come by the package's own script.
    const isCuda = name === 'cuda';
    await fetchPackage(partial, {
      what: `${PACKAGE}@${RUNTIME_VERSION}`,
      runsScripts: isCuda,
      env: { ONNXRUNTIME_NODE_INSTALL: isCuda ? 'cuda12' : 'skip' },
    });
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
