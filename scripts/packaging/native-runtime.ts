/** Entry of the bundle: onnxruntime-node as a whole where it is installed, else the part for this platform. */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

type Runtime = typeof import('onnxruntime-node');

const load = (): Runtime => {
  const ours = `@tollama/runtime-${process.platform}-${process.arch}`;
  // What the user installed (with GPU libraries, say) goes before what we bring.
  for (const name of ['onnxruntime-node', ours]) {
    try {
      return require(name) as Runtime;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'MODULE_NOT_FOUND' || !message.includes(name)) throw error;
    }
  }
  throw new Error(`neither ${ours} nor onnxruntime-node is installed`);
};

export const { InferenceSession, Tensor, env, listSupportedBackends } = load();
