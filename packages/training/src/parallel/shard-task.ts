/** What goes between a training and the processes that compute its gradients. */
import type { Feeds, TensorValue } from '@tollama/graph';
import type { StepSettings } from '../step/training-step.ts';

export type ShardTask =
  /** All trainable tensors one after the other, in the order of their names. */
  | { readonly kind: 'parameters'; readonly values: Float32Array }
  | { readonly kind: 'gradients'; readonly batch: Feeds; readonly alpha: StepSettings['alpha'] };

export type ShardReply =
  | { readonly kind: 'done'; readonly loss: number; readonly gradients: Float32Array }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

type Shapes = ReadonlyMap<string, readonly number[]>;

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The tensors of a flat array, as views. */
export const viewsOf = (flat: Float32Array, shapes: Shapes): ReadonlyMap<string, TensorValue> => {
  let at = 0;
  return new Map(
    [...shapes.keys()].toSorted().map((name): [string, TensorValue] => {
      const dims = shapes.get(name)!;
      const data = flat.subarray(at, at + sizeOf(dims));
      at += data.length;
      return [name, { dtype: 'float32', dims, data }];
    }),
  );
};

/** Tensors one after the other; one that is not there is 0. */
export const flatOf = (values: ReadonlyMap<string, TensorValue>, shapes: Shapes): Float32Array => {
  const size = [...shapes.values()].reduce((sum, shape) => sum + sizeOf(shape), 0);
  const flat = new Float32Array(size);
  for (const [name, { data }] of viewsOf(flat, shapes)) {
    const source = values.get(name)?.data as Float32Array | undefined;
    if (source) (data as Float32Array).set(source);
  }
  return flat;
};
