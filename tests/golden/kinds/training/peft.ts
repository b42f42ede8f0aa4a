/** Folders that PEFT wrote: what they compute beside a frozen host and merged into it, and what we would write. */
import { readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  add,
  affine,
  type Checkpoint,
  constant,
  defineGraph,
  fromCheckpoint,
  input,
  matmul,
  mean,
  openCheckpoint,
  openSession,
  openWeightsFile,
  readTensor,
  softmax,
  type Tensor,
  type TensorValue,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { openAdapter } from '@tollama/models/adapter/adapter';
import { mergeAdapter } from '@tollama/models/adapter/merge-adapter';
import {
  ADAPTER_CONFIG,
  ADAPTER_WEIGHTS,
  readPeftConfig,
  writePeftAdapter,
} from '@tollama/training/peft/peft-folder';
import type { Operation } from './control.ts';

interface Listed {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** x += SelfAttention(x) in each block, then a head over the mean of time. x [b, t, d] -> [b, out] */
const hostGraph = (base: Checkpoint, w: Weights, { shape }: Listed) => {
  const x = input('x', shape);
  const width = widthOf(x);
  const square = (at: Weights, name: string, value: Tensor): Tensor =>
    affine(value, at.get(`${name}.weight`, [width, width]));
  let y = x;
  for (let i = 0; base.tensors.has(`encoder.block.${i}.layer.0.SelfAttention.q.weight`); i++) {
    const at = w.at(`encoder.block.${i}.layer.0.SelfAttention`);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => square(at, name, y)) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const scores = softmax(matmul(q, k, { transposeB: true }));
    y = add(y, square(at, 'o', matmul(scores, v)));
  }
  const out = base.tensors.get('head.weight')!.shape as [number, number];
  const head = affine(mean(y, 1), w.get('head.weight', out), w.get('head.bias', [out[0]]));
  return defineGraph('host', [x], { y: head });
};

const runHost = async (
  base: Checkpoint,
  weights: Weights,
  x: Listed,
  all = base,
): Promise<Listed> => {
  await using session = await openSession(hostGraph(base, weights, x), {
    threads: 1,
    checkpoint: all,
  });
  const value: TensorValue = { dtype: 'float32', dims: x.shape, data: Float32Array.from(x.data) };
  const { dims, data } = (await session.run({ x: value })).y!;
  return { shape: dims, data: Array.from(data as Float32Array) };
};

const valuesOf = async (checkpoint: Checkpoint): Promise<Map<string, TensorValue>> => {
  const values = new Map<string, TensorValue>();
  for (const [name, tensor] of checkpoint.tensors) {
    const data = await readTensor(tensor);
    values.set(name, { dtype: 'float32', dims: tensor.shape, data });
  }
  return values;
};

/** The folder written anew from what was read, keys that we do not know included; true when no byte differs. */
const isWrittenAlike = async (folder: string, adapter: Checkpoint): Promise<boolean> => {
  const copy = join(tmpdir(), `tollama-peft-${process.pid}-${performance.now()}`);
  try {
    await writePeftAdapter(copy, await readPeftConfig(folder), await valuesOf(adapter));
    const config = await readPeftConfig(folder);
    const again = await readPeftConfig(copy);
    const isConfigKept = Object.entries(config).every(
      ([key, value]) => JSON.stringify(again[key]) === JSON.stringify(value),
    );
    const [theirs, ours] = await Promise.all(
      [folder, copy].map((one) => readFile(join(one, ADAPTER_WEIGHTS))),
    );
    return isConfigKept && ours!.equals(theirs!);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
};

/** The host's weights as constants: the merged ones where there are any. */
const withValues = (
  own: Weights,
  base: Checkpoint,
  merged: ReadonlyMap<string, Float32Array>,
): Weights => {
  const plain = fromCheckpoint(base.tensors);
  const at = (prefix: string): Weights => ({
    ...own,
    get: (name, shape) => {
      const path = `${prefix}${name}`;
      const values = merged.get(path);
      return values ? constant([...values], 'float32', shape) : plain.get(path, shape);
    },
    at: (path) => at(`${prefix}${path}.`),
  });
  return at('');
};

const peftAdapter: Operation = async (given, root) => {
  const { folder: name, x } = given as unknown as { folder: string; x: Listed };
  const folder = join(root, name);
  const base = await openCheckpoint(folder);
  const file = await openWeightsFile(folder, ADAPTER_WEIGHTS);
  if (!(await isWrittenAlike(folder, file))) throw new Error(`${ADAPTER_CONFIG}: other bytes`);
  const adapter = await openAdapter(folder, base);
  const merged = await mergeAdapter(folder, base);
  const overwritten = withValues(adapter.weights, base, merged);
  return {
    adapter_keys: [...file.tensors.keys()].toSorted(),
    y_base: await runHost(base, fromCheckpoint(base.tensors), x),
    y: await runHost(base, adapter.weights, x, adapter.checkpoint),
    y_merged: await runHost(base, overwritten, x),
    merged_weights: Object.fromEntries(
      [...merged].map(([key, data]) => [
        key,
        { shape: base.tensors.get(key)!.shape, data: Array.from(data) },
      ]),
    ),
  };
};

export const peftOps: Readonly<Record<string, Operation>> = { peft_adapter: peftAdapter };
