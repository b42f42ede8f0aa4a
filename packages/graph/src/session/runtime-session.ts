/** A session of any onnxruntime, native or in a browser: values in and out, and its lifetime. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { shapeEquals, shapeText } from '../dimension.ts';
import { DTYPES, type DType, type TensorData } from '../dtype.ts';
import { type Graph, parametersOf } from '../graph.ts';
import type { StoredTensor } from '../safetensors/parse-header.ts';
import { checkFeeds, type Feeds, type TensorValue } from './feeds.ts';
import type { Device, Precision } from './options.ts';

/** Names of outputs, or where to put each: undefined for a new array. */
export type Outputs = readonly string[] | Readonly<Record<string, TensorValue | undefined>>;

export interface Session extends AsyncDisposable {
  readonly device: Device;
  readonly precision: Precision;
  /**
   * Runs the whole graph once.
   * @param outputs names of the outputs to hand over; all when absent. By a record, onnxruntime writes those
   * that have a value into its array, without a copy
   * @throws TollamaError INTERNAL when the feeds do not fit the graph, or onnxruntime refuses
   */
  run(feeds: Feeds, outputs?: Outputs): Promise<Readonly<Record<string, TensorValue>>>;
  /** Waits for the runs under way, frees the memory and what lies in a temporary folder. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What sessions read of onnxruntime's tensors. */
export interface RuntimeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
}

/** What all builds of onnxruntime for JavaScript have in common. */
export interface Runtime {
  readonly Tensor: new (
    type: 'float32',
    data: Float32Array,
    dims: readonly number[],
  ) => RuntimeTensor;
}

type RuntimeTensors = Readonly<Record<string, RuntimeTensor>>;
type Fetches = readonly string[] | Readonly<Record<string, RuntimeTensor | null>>;

/** A session that any build of onnxruntime has made. */
export interface RuntimeSession {
  run(feeds: RuntimeTensors, fetches?: Fetches): Promise<RuntimeTensors>;
  release(): Promise<void>;
}

const toValue = (tensor: RuntimeTensor): TensorValue => {
  if (!Object.hasOwn(DTYPES, tensor.type)) {
    throw new TollamaError('INTERNAL', `the graph returned a ${tensor.type} tensor`);
  }
  return { dtype: tensor.type as DType, dims: tensor.dims, data: tensor.data as TensorData };
};

const fetchesOf = (outputs: Outputs, tensorOf: (value: TensorValue) => RuntimeTensor): Fetches => {
  if (Array.isArray(outputs)) return outputs as readonly string[];
  const fetches: Record<string, RuntimeTensor | null> = {};
  for (const [name, value] of Object.entries(outputs)) {
    fetches[name] = value ? tensorOf(value as TensorValue) : null;
  }
  return fetches;
};

const runOnce = async (
  runtime: Runtime,
  session: RuntimeSession,
  graph: Graph,
  feeds: Feeds,
  outputs: Outputs | undefined,
): Promise<Readonly<Record<string, TensorValue>>> => {
  checkFeeds(graph, feeds);
  const tensorOf = ({ dtype, data, dims }: TensorValue): RuntimeTensor =>
    new runtime.Tensor(dtype as 'float32', data as Float32Array, dims);
  const tensors: Record<string, RuntimeTensor> = {};
  for (const [name, value] of Object.entries(feeds)) tensors[name] = tensorOf(value);
  try {
    const results = await (outputs
      ? session.run(tensors, fetchesOf(outputs, tensorOf))
      : session.run(tensors));
    return Object.fromEntries(
      Object.entries(results).map(([name, tensor]) => [name, toValue(tensor)]),
    );
  } catch (cause) {
    throw new TollamaError('INTERNAL', `graph '${graph.name}' failed: ${errorMessage(cause)}`, {
      cause,
    });
  }
};

/** The graph reads the checkpoint by its places, so it must be made for this very one. */
export const checkParameters = (graph: Graph, tensors: ReadonlyMap<string, StoredTensor>): void => {
  for (const { name, dtype, shape } of parametersOf(graph)) {
    const stored = tensors.get(name);
    if (stored?.dtype === dtype && shapeEquals(stored.shape, shape)) continue;
    const found = stored ? `is ${stored.dtype}${shapeText(stored.shape)}` : 'is missing';
    throw new TollamaError(
      'CHECKPOINT_INVALID',
      `graph '${graph.name}': tensor '${name}' ${found}, expected ${dtype}${shapeText(shape)}`,
    );
  }
};

export interface SessionLife {
  readonly device: Device;
  readonly precision: Precision;
  /** After the last run. */
  readonly onClose: () => Promise<void>;
}

/** A session of the runtime with its lifetime: nothing runs past its end. */
export const manageSession = (
  runtime: Runtime,
  session: RuntimeSession,
  graph: Graph,
  { device, precision, onClose }: SessionLife,
): Session => {
  const running = new Set<Promise<unknown>>();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await Promise.allSettled(running);
    await onClose();
  };
  return {
    device,
    precision,
    async run(feeds, outputs) {
      if (closing) throw new TollamaError('INTERNAL', `graph '${graph.name}' is closed`);
      const result = runOnce(runtime, session, graph, feeds, outputs);
      running.add(result);
      try {
        return await result;
      } finally {
        running.delete(result);
      }
    },
    async [Symbol.asyncDispose]() {
      closing ??= close();
      await closing;
    },
  };
};
