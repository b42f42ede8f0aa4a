/** First weights of the network: spread 1/sqrt(in), residual outputs smaller with depth, a head of zeros. */
import { declaring, type TensorValue } from '@tollama/graph';
import { type NanoConfig, nanoGraph } from '@tollama/models/families/tollama-nano/network';
import { createRandom } from '../synthetic/random.ts';

const spreadOf = (name: string, shape: readonly number[], layers: number): number => {
  if (name.startsWith('head.out') || shape.length === 1) return 0;
  const usual = 1 / Math.sqrt(shape[1]!);
  return name.includes('.down.') ? usual / Math.sqrt(2 * layers) : usual;
};

/** Name -> tensor, the same for the same seed. */
export const initialWeights = (
  config: NanoConfig,
  seed: number,
): ReadonlyMap<string, TensorValue> => {
  const { weights, declared } = declaring();
  nanoGraph(config, weights);
  const random = createRandom(seed, 77);
  return new Map(
    [...declared].map(([name, { shape }]) => {
      const spread = spreadOf(name, shape, config.num_layers);
      const isGain = name.includes('norm');
      const size = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from({ length: size }, () =>
        isGain ? 1 : spread === 0 ? 0 : random.normal(0, spread),
      );
      return [name, { dtype: 'float32', dims: shape, data }];
    }),
  );
};
