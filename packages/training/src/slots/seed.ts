/** What can be planted in a slot: its tensors, how they begin, and what it adds to the host's value. */
import { affine, mul, relu, type Tensor } from '@tollama/graph';
import { doraChange } from './dora.ts';
import type { LinearSlot } from './linear-slots.ts';

export interface LoraBlueprint {
  readonly kind: 'lora';
  readonly rank: number;
  /** Scaling of B . A: alpha / rank, or alpha / sqrt(rank) with rank-stabilised LoRA. */
  readonly scaling: number;
}

/** LoRA beside a trained length of every row of the weight (Liu et al. 2024). */
export interface DoraBlueprint extends Omit<LoraBlueprint, 'kind'> {
  readonly kind: 'dora';
}

/** Two layers with a relu between them over the host's value (Houlsby et al. 2019). */
export interface BottleneckBlueprint {
  readonly kind: 'bottleneck';
  readonly width: number;
}

/** A second layer of the host's shape beside it, which begins at 0: for heads. */
export interface HeadBlueprint {
  readonly kind: 'head';
}

export type SeedBlueprint = LoraBlueprint | DoraBlueprint | BottleneckBlueprint | HeadBlueprint;

/**
 * How a tensor of a seed begins: uniform in +-bound, at 0 where there is no bound, or as the lengths of the rows of
 * a weight of the host.
 */
export interface SeedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bound: number;
  readonly rowNormsOf?: string;
}

/** Kaiming-uniform with a = sqrt(5), torch's way to begin a linear layer: +-1/sqrt(in). */
const kaiming = (width: number): number => 1 / Math.sqrt(width);

const PEFT_PREFIX = 'base_model.model.';
const MAGNITUDE = 'lora_magnitude_vector';

/**
 * The tensors of a seed in one slot. Names are PEFT's in memory, with the seed's id where PEFT has the
 * adapter's name: `base_model.model.<module>.lora_A.<seed>.weight`.
 */
export const seedTensors = (
  blueprint: SeedBlueprint,
  id: string,
  { module, shape: [out, width] }: LinearSlot,
): readonly SeedTensor[] => {
  const named = (part: string): string => `${PEFT_PREFIX}${module}.${part}.${id}.weight`;
  const factors = (rank: number): readonly SeedTensor[] => [
    { name: named('lora_A'), shape: [rank, width], bound: kaiming(width) },
    { name: named('lora_B'), shape: [out, rank], bound: 0 },
  ];
  switch (blueprint.kind) {
    case 'lora':
      return factors(blueprint.rank);
    case 'dora':
      return [
        ...factors(blueprint.rank),
        { name: named(MAGNITUDE), shape: [out], bound: 0, rowNormsOf: `${module}.weight` },
      ];
    case 'bottleneck':
      return [
        { name: named('bottleneck_down'), shape: [blueprint.width, out], bound: kaiming(out) },
        { name: named('bottleneck_up'), shape: [out, blueprint.width], bound: 0 },
      ];
    case 'head':
      return [{ name: named('head'), shape: [out, width], bound: 0 }];
  }
};

/** The name under which PEFT saves a tensor: without the id of its seed, and magnitudes without `.weight`. */
export const savedName = (name: string, id: string): string => {
  const end = `.${id}.weight`;
  if (!name.endsWith(end)) return name;
  const path = name.slice(0, -end.length);
  return path.endsWith(`.${MAGNITUDE}`) ? path : `${path}.weight`;
};

export interface SlotValues {
  /** What comes in: [..., in] */
  readonly x: Tensor;
  /** What the host makes of it: [..., out] */
  readonly y: Tensor;
  /** The host's weight [out, in], and its bias where it has one. */
  readonly weight: Tensor;
  readonly bias: Tensor | undefined;
  /** The tensors of the seed, as `seedTensors` lists them. */
  readonly tensors: readonly Tensor[];
  /** Scales the change; 1 when absent. */
  readonly alpha: Tensor | undefined;
}

/** The change that a seed makes to the host's value. -> [..., out] */
export const seedChange = (blueprint: SeedBlueprint, values: SlotValues): Tensor => {
  const {
    x,
    y,
    tensors: [first, second, third],
    alpha,
  } = values;
  // Scaled where it is narrow.
  const scaled = (inner: Tensor, factor = 1): Tensor => {
    const both = alpha && factor !== 1 ? mul(alpha, factor) : alpha;
    return both ? mul(inner, both) : mul(inner, factor);
  };
  switch (blueprint.kind) {
    case 'lora':
      return affine(scaled(affine(x, first!), blueprint.scaling), second!);
    case 'dora':
      return scaled(
        doraChange(values, { a: first!, b: second!, magnitude: third! }, blueprint.scaling),
      );
    case 'bottleneck':
      return affine(scaled(relu(affine(y, first!))), second!);
    case 'head':
      return scaled(affine(x, first!));
  }
};
