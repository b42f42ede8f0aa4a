/** Random weights of a family's architecture, whatever its size. */
import { TollamaError } from '@tollama/core/errors';
import { declaring, type TensorSpec, writeSafetensors } from '@tollama/graph';
import { familyOf } from './family-of.ts';
import { mulberry32 } from './random/mulberry32.ts';
import { textSeed } from './random/text-seed.ts';

/**
 * Values that keep activations of order one: gains around 1, matrices with a spread of 0.9/sqrt(in) (less
 * for query and key, since some families do not scale the scores), small offsets.
 */
const randomTensor = (name: string, { shape }: TensorSpec, seed: number): Float32Array => {
  const size = shape.reduce((a, b) => a * b, 1);
  const isGain = shape.length === 1 && /norm|_ln|\bln/i.test(name) && !/bias/.test(name);
  const width = shape.at(-1) ?? 1;
  const gain = /(^|\.)(q|k)\.weight$/.test(name) ? 0.35 : 0.9;
  const spread = shape.length > 1 ? gain / Math.sqrt(width) : 0.1;
  const next = mulberry32(textSeed(name, seed));
  const values = new Float32Array(size);
  const centre = isGain ? 1 : 0;
  // A uniform of the same variance is as good here as a normal, and four times as fast.
  const reach = spread * Math.sqrt(12);
  for (let i = 0; i < size; i++) values[i] = centre + (next() / 2 ** 32 - 0.5) * reach;
  return values;
};

export interface WrittenCheckpoint {
  readonly family: string;
  readonly parameters: number;
  readonly size_bytes: number;
}

/**
 * Writes a random checkpoint for a config.json.
 *
 * @param config the published config.json, parsed
 * @param family refuses a config of another family when given
 * @throws TollamaError MODEL_UNSUPPORTED for an unknown or another family
 */
export const randomCheckpoint = async (
  path: string,
  config: unknown,
  family: string | undefined,
  seed: number,
): Promise<WrittenCheckpoint> => {
  const found = familyOf(config, new Map());
  if (family !== undefined && found.family.name !== family) {
    throw new TollamaError(
      'MODEL_UNSUPPORTED',
      `the config belongs to ${found.family.name}, not to '${family}'`,
      {
        hint: `use --family ${found.family.name}`,
      },
    );
  }
  const { weights, declared } = declaring();
  found.family.graphs(found.config, weights, (_, tensor) => tensor);
  await writeSafetensors(path, declared, (name, spec) => randomTensor(name, spec, seed));
  const parameters = [...declared.values()].reduce(
    (sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1),
    0,
  );
  return {
    family: found.family.name,
    parameters,
    size_bytes: parameters * Float32Array.BYTES_PER_ELEMENT,
  };
};
