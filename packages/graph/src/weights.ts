/**
 * How a family reaches the tensors of its checkpoint: by the published path, with the shape that the
 * config implies. One forward pass serves three purposes, depending on what stands behind it: run a
 * checkpoint (`fromCheckpoint`), or list what a checkpoint of this config must hold (`declaring`).
 */
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import { shapeText } from './dimension.ts';
import { type DType, isFloat } from './dtype.ts';
import type { Tensor } from './node.ts';
import { cast, parameter } from './ops.ts';

/** What a tensor of the checkpoint looks like. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export interface Weights {
  /** A tensor below this path, as float32 whatever the checkpoint stores. */
  get(name: string, shape: readonly number[]): Tensor;
  /** The weights below a path: `weights.at('encoder.block.0').get('layer_norm.weight', [d])`. */
  at(path: string): Weights;
  /** Whether the checkpoint holds a tensor of that name. */
  has(name: string): boolean;
  /** The shape of a tensor of the checkpoint, for families whose config.json does not tell it. */
  shapeOf(name: string): readonly number[] | undefined;
  /** Names a tensor that checkpoints hold and the forward pass has no use for. */
  unused(name: string, shape: readonly number[]): void;
}

type Lookup = (path: string, shape: readonly number[]) => Tensor;

interface Source {
  readonly lookup: Lookup;
  readonly shapeOf: (path: string) => readonly number[] | undefined;
  readonly unused: (path: string, shape: readonly number[]) => void;
}

const scope = (prefix: string, source: Source): Weights => {
  const join = (name: string): string => (prefix ? `${prefix}.${name}` : name);
  return {
    get: (name, shape) => source.lookup(join(name), shape),
    at: (path) => scope(join(path), source),
    has: (name) => source.shapeOf(join(name)) !== undefined,
    shapeOf: (name) => source.shapeOf(join(name)),
    unused: (name, shape) => source.unused(join(name), shape),
  };
};

const sameNumbers = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);

/**
 * Weights of a real checkpoint. A missing tensor, a shape that the config does not imply, or a tensor
 * that is no float throws CHECKPOINT_INVALID with the tensor's name.
 */
export const fromCheckpoint = (tensors: ReadonlyMap<string, TensorSpec>): Weights => {
  const made = new Map<string, Tensor>();
  const lookup: Lookup = (path, shape) => {
    const known = made.get(path);
    const spec = tensors.get(path);
    if (!spec) {
      const near = didYouMean(path, tensors.keys());
      throw new TollamaError('CHECKPOINT_INVALID', `the checkpoint has no tensor '${path}'`, {
        hint: near
          ? `the closest name in it is '${near}'`
          : 'is config.json of another model family?',
      });
    }
    if (!sameNumbers(spec.shape, shape)) {
      throw new TollamaError(
        'CHECKPOINT_INVALID',
        `tensor '${path}' is ${shapeText(spec.shape)}, config.json implies ${shapeText(shape)}`,
        { hint: 'config.json and the weights do not belong together' },
      );
    }
    if (!isFloat(spec.dtype)) {
      throw new TollamaError(
        'CHECKPOINT_INVALID',
        `tensor '${path}' is ${spec.dtype}, not a float type`,
      );
    }
    if (known) return known;
    const tensor = cast(parameter(path, shape, spec.dtype), 'float32');
    made.set(path, tensor);
    return tensor;
  };
  return scope('', { lookup, shapeOf: (path) => tensors.get(path)?.shape, unused: () => {} });
};

/**
 * Weights that write down what is asked of them: after a forward pass `declared` is the table of
 * contents of a checkpoint of that config (all float32).
 */
export const declaring = (): {
  readonly weights: Weights;
  readonly declared: Map<string, TensorSpec>;
} => {
  const declared = new Map<string, TensorSpec>();
  const note = (path: string, shape: readonly number[]): void => {
    declared.set(path, { dtype: 'float32', shape });
  };
  const lookup: Lookup = (path, shape) => {
    note(path, shape);
    return parameter(path, shape, 'float32');
  };
  const weights = scope('', { lookup, shapeOf: (path) => declared.get(path)?.shape, unused: note });
  return { weights, declared };
};
