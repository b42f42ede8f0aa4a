/** Adapters for the host's slots, as files with hashes, and how one is made ready. */
import {
  defineGraph,
  type Graph,
  input,
  matmul,
  openSession,
  type TensorValue,
  transpose,
} from '@tollama/graph';
import type { Clock } from '../clock/clock.ts';
import { RandomStream } from '../data/random-stream.ts';
import type { Slot } from '../kasmina/seed-plan.ts';
import { fileShapes, tensorsOf } from '../kasmina/slot-tensors.ts';
import type { PreparedAdapter } from '../prefetch/adapter-loader.ts';
import { type AdapterKernel, adapterLoader, type Tensors } from '../prefetch/adapter-loader.ts';
import { type AdapterStore, keyText } from '../prefetch/adapter-store.ts';
import type { Loader } from '../prefetch/prefetcher.ts';
import { firstValues } from '../slots/plant.ts';
import { savedName } from '../slots/seed.ts';

export interface AdapterNeed {
  readonly slot: Slot;
  readonly blueprint: string;
  /** Tells adapters of one kind apart. */
  readonly revision: string;
}

export const needKey = ({ slot, blueprint, revision }: AdapterNeed): string =>
  keyText({ blueprint, revision, slot: slot.name, dtype: 'float32' });

/** Writes fresh adapters, each with numbers of its own. */
export const writeAdapters = async (
  store: AdapterStore,
  graph: Graph,
  needs: readonly AdapterNeed[],
  seed: number,
): Promise<void> => {
  const random = RandomStream.of(seed);
  for (const need of needs) {
    const tensors = tensorsOf(graph, need.slot, need.blueprint, 'new');
    const values = [...firstValues(tensors, () => random.uniform())];
    const saved = values.map(([name, value]) => [savedName(name, 'new'), value] as const);
    await store.put(needKey(need), new Map(saved));
  }
};

/** A matrix product for each tensor of the adapter: what its session has to do. */
const kernelGraph = (shapes: ReadonlyMap<string, readonly number[]>): Graph => {
  const tensors = [...shapes].map(([, shape], i) => ({
    x: input(`x${i}`, [1, shape[1]!]),
    weight: input(`weight${i}`, shape),
  }));
  const outputs = tensors.map(({ x, weight }, i) => [
    `y${i}`,
    matmul(x, transpose(weight, [1, 0])),
  ]);
  const inputs = tensors.flatMap(({ x, weight }) => [x, weight]);
  return defineGraph('adapter', inputs, Object.fromEntries(outputs));
};

const feedsOf = (tensors: Tensors, names: readonly string[]): Record<string, TensorValue> =>
  Object.fromEntries(
    names.flatMap((name, i) => {
      const weight = tensors.get(name)!;
      const width = weight.dims[1]!;
      const x: TensorValue = {
        dtype: 'float32',
        dims: [1, width],
        data: new Float32Array(width).fill(1),
      };
      return [
        [`x${i}`, x],
        [`weight${i}`, weight],
      ];
    }),
  );

const buildKernel = async (
  shapes: ReadonlyMap<string, readonly number[]>,
): Promise<AdapterKernel> => {
  const session = await openSession(kernelGraph(shapes), { threads: 1 });
  return {
    warmUp: async (tensors) => {
      await session.run(feedsOf(tensors, [...shapes.keys()]));
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
};

export interface AdapterBackend {
  readonly store: AdapterStore;
  readonly graph: Graph;
  readonly needs: readonly AdapterNeed[];
  readonly clock: Clock;
  readonly fetch?: (path: string, signal: AbortSignal) => Promise<Buffer>;
}

export const hostLoader = ({
  store,
  graph,
  needs,
  clock,
  fetch,
}: AdapterBackend): Loader<PreparedAdapter> => {
  const shapes = new Map(
    needs.map((need) => [needKey(need), fileShapes(graph, need.slot, need.blueprint)]),
  );
  return adapterLoader({
    store,
    expects: (key) => shapes.get(key) ?? new Map(),
    build: (key) => buildKernel(shapes.get(key) ?? new Map()),
    clock,
    ...(fetch && { fetch }),
  });
};
