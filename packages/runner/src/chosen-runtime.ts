/** Which onnxruntime this process loads: the one of `tollama runtime install`, else the one beside the sources. */
import { readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RuntimeChoice, runtimeChoicePath } from '@tollama/core/runtime-choice';

/** Entry file of the runtime that was installed into the folder; undefined when there is none. */
export const chosenRuntime = (runtimes: string | undefined): string | undefined => {
  if (runtimes === undefined) return undefined;
  try {
    const text = readFileSync(runtimeChoicePath(runtimes), 'utf8');
    const { folder } = RuntimeChoice.parse(JSON.parse(text));
    return createRequire(join(folder, 'package.json')).resolve(folder);
  } catch {
    // None, or a broken one: `tollama doctor` tells of it, and our own does the work.
    return undefined;
  }
};

/** From here on, this thread imports that file as `onnxruntime-node`. */
export const useRuntime = (entry: string): void => {
  const url = pathToFileURL(entry).href;
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier === 'onnxruntime-node' ? url : specifier, context),
  });
};
