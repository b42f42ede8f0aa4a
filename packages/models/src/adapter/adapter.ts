/**
 * LoRA and DoRA adapters (Hu et al. 2021) in PEFT's format. An adapted weight is W + factor * B . A, written into the
 * graph as these very operations: onnxruntime computes them once when it loads the graph, and neither the
 * base nor the adapter is copied or rewritten.
 */
import { TollamaError } from '@tollama/core/errors';
import {
  add,
  type Checkpoint,
  fromCheckpoint,
  type Graph,
  joinCheckpoints,
  matmul,
  mul,
  openWeightsFile,
  rearrange,
  shapeText,
  type Tensor,
  type Weights,
} from '@tollama/graph';
import { type AdapterConfig, factorOf, rankOf, readAdapterConfig } from './adapter-config.ts';
import { bottleneckRewrite } from './bottleneck.ts';
import { doraWeight } from './dora.ts';

export const ADAPTER_FILE = 'adapter_model.safetensors';
const PREFIX = 'base_model.model.';

export interface Adapter {
  readonly config: AdapterConfig;
  /** The tensors of the base and of the adapter. */
  readonly checkpoint: Checkpoint;
  /** The base's weights, adapted. */
  readonly weights: Weights;
  /** What the adapter makes of each graph, where its weights are not the place for it. */
  readonly rewrite?: (graph: Graph) => Graph;
}

/** The names of the two factors in the file, after the module's path; an embedding's are transposed. */
const FACTORS = [
  { a: '.lora_A.weight', b: '.lora_B.weight', isEmbedding: false },
  { a: '.lora_embedding_A', b: '.lora_embedding_B', isEmbedding: true },
] as const;

const MAGNITUDE = '.lora_magnitude_vector';

/** How one tensor of the base is changed. */
export type Change =
  | { readonly kind: 'replaced'; readonly by: string }
  | {
      readonly kind: 'lowRank';
      readonly a: string;
      readonly b: string;
      readonly isTransposed: boolean;
      readonly rank: number;
      readonly factor: number;
      /** DoRA's lengths of the rows, or of the columns of a transposed weight. */
      readonly magnitude: string | undefined;
    };

const refuse = (message: string, hint?: string): never => {
  throw new TollamaError('CHECKPOINT_INVALID', message, hint === undefined ? {} : { hint });
};

/** The change that a tensor of the adapter stands for, by the name of the base's tensor. */
const changeOf = (name: string, config: AdapterConfig): [string, Change] => {
  const path = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  for (const { a, b, isEmbedding } of FACTORS) {
    const end = [a, b].find((suffix) => path.endsWith(suffix));
    if (end === undefined) continue;
    const module = path.slice(0, -end.length);
    const stem = name.slice(0, -end.length);
    const [rank, factor] = [rankOf(config, module), factorOf(config, module)];
    const magnitude = config.use_dora ? `${stem}${MAGNITUDE}` : undefined;
    const names = { a: `${stem}${a}`, b: `${stem}${b}`, magnitude };
    const isTransposed = isEmbedding || config.fan_in_fan_out === true;
    return [`${module}.weight`, { kind: 'lowRank', ...names, isTransposed, rank, factor }];
  }
  return [path, { kind: 'replaced', by: name }];
};

/** The changes by the base's tensors; every tensor of the adapter must belong to one. */
export const changesOf = (
  adapter: Checkpoint,
  base: Checkpoint,
  config: AdapterConfig,
): ReadonlyMap<string, Change> => {
  const changes = new Map<string, Change>();
  const names = [...adapter.tensors.keys()];
  const isMagnitude = (name: string): boolean => !!config.use_dora && name.endsWith(MAGNITUDE);
  for (const name of names.filter((name) => !isMagnitude(name))) {
    const [target, change] = changeOf(name, config);
    if (!base.tensors.has(target)) {
      refuse(
        `the adapter's tensor '${name}' belongs to no tensor of the base model`,
        config.base_model_name_or_path
          ? `the adapter was made for ${config.base_model_name_or_path}`
          : 'is the adapter made for this model?',
      );
    }
    if (change.kind === 'lowRank') {
      const parts = [change.a, change.b, ...(change.magnitude ? [change.magnitude] : [])];
      const missing = parts.find((part) => !adapter.tensors.has(part));
      if (missing !== undefined) refuse(`the adapter has no tensor '${missing}'`);
    }
    changes.set(target, change);
  }
  const used = new Set(
    [...changes.values()].map((change) => 'magnitude' in change && change.magnitude),
  );
  const idle = names.find((name) => isMagnitude(name) && !used.has(name));
  if (idle !== undefined) refuse(`the adapter's tensor '${idle}' has no factors beside it`);
  return changes;
};

const adapted = (
  weight: Tensor,
  change: Change,
  factors: Weights,
  shape: readonly number[],
): Tensor => {
  if (change.kind === 'replaced') return factors.get(change.by, shape);
  const [out, width] = shape;
  if (shape.length !== 2) refuse(`'${change.a}' adapts a tensor ${shapeText(shape)}, no matrix`);
  const { rank, factor, isTransposed, magnitude } = change;
  const [rows, columns] = (isTransposed ? [width, out] : [out, width]) as [number, number];
  const turned = (x: Tensor): Tensor => (isTransposed ? rearrange(x, 'r c -> c r') : x);
  const [b, a] = [factors.get(change.b, [rows, rank]), factors.get(change.a, [rank, columns])];
  if (magnitude === undefined) return add(weight, mul(turned(matmul(b, a)), factor));
  const dora = { a, b, magnitude: factors.get(magnitude, [rows]) };
  return turned(doraWeight(turned(weight), dora, factor));
};

const adaptedWeights = (
  base: Weights,
  adapt: (path: string, weight: Tensor, shape: readonly number[]) => Tensor,
  prefix = '',
): Weights => {
  const join = (name: string): string => (prefix ? `${prefix}.${name}` : name);
  return {
    ...base,
    get: (name, shape) => adapt(join(name), base.get(name, shape), shape),
    at: (path) => adaptedWeights(base.at(path), adapt, join(path)),
  };
};

/**
 * Opens an adapter folder (adapter_config.json, adapter_model.safetensors) over its base.
 *
 * @throws TollamaError CHECKPOINT_INVALID when a file is missing or does not fit the base,
 * MODEL_UNSUPPORTED for other kinds of adapters
 */
export const openAdapter = async (folder: string, base: Checkpoint): Promise<Adapter> => {
  const config = await readAdapterConfig(folder);
  const file = await openWeightsFile(folder, ADAPTER_FILE);
  if (config.peft_type === 'BOTTLENECK') {
    return {
      config,
      checkpoint: joinCheckpoints(base, file),
      weights: fromCheckpoint(base.tensors),
      rewrite: bottleneckRewrite(file, base, config.r),
    };
  }
  const changes = changesOf(file, base, config);
  const factors = fromCheckpoint(file.tensors);
  const made = new Map<string, Tensor>();
  const adapt = (path: string, weight: Tensor, shape: readonly number[]): Tensor => {
    const change = changes.get(path);
    if (!change) return weight;
    const known = made.get(path) ?? adapted(weight, change, factors, shape);
    made.set(path, known);
    return known;
  };
  return {
    config,
    checkpoint: joinCheckpoints(base, file),
    weights: adaptedWeights(fromCheckpoint(base.tensors), adapt),
  };
};
