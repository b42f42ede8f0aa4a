/** The only file of the product, beside the runner's entry, that loads onnxruntime. */
import { errorMessage, TollamaError } from '@tollama/core/errors';

export type NativeRuntime = typeof import('onnxruntime-node');

/** onnxruntime-node, loaded at the first call. Throws DEPENDENCY_MISSING where it does not load. */
export const loadRuntime = async (): Promise<NativeRuntime> => {
  try {
    const runtime = await import('onnxruntime-node');
    // The default export is the CommonJS module itself.
    return (runtime as unknown as { default?: NativeRuntime }).default ?? runtime;
  } catch (cause) {
    throw new TollamaError(
      'DEPENDENCY_MISSING',
      `onnxruntime-node does not load: ${errorMessage(cause)}`,
      {
        hint: 'reinstall with `npm install onnxruntime-node`; `tollama doctor` tells more',
        cause,
      },
    );
  }
};
