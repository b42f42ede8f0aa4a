/** What can be planted in a slot: its tensors, how they begin, and what it adds to the host's value. */
import { affine, mul, relu, type Tensor } from '@tollama/graph';
import type { LinearSlot } from './linear-slots.ts';

export interface LoraBlueprint {
  readonly kind: 'lora';
  readonly rank: number;
  /** Scaling of B . A: alpha / rank, or alpha / sqrt(rank) with rank-stabilised LoRA. */
  readonly scaling: number;
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

export type SeedBlueprint = LoraBlueprint | BottleneckBlueprint | HeadBlueprint;

/** How a tensor of a seed begins: uniform in +-bound, or at 0 where there is no bound. */
export interface SeedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly bound: number;
}

/** Kaiming-uniform with a = sqrt(5), torch's way to begin a linear layer: +-1/sqrt(in). */
const kaiming = (width: number): number => 1 / Math.sqrt(width);

const PEFT_PREFIX = 'base_model.model.';

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
  switch (blueprint.kind) {
    case 'lora':
      return [
        { name: named('lora_A'), shape: [blueprint.rank, width], bound: kaiming(width) },
        { name: named('lora_B'), shape: [out, blueprint.rank], bound: 0 },
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

/** The name under which PEFT saves a tensor: without the id of its seed. */
export const savedName = (name: string, id: string): string =>
  name.endsWith(`.${id}.weight`) ? `${name.slice(0, -`.${id}.weight`.length)}.weight` : name;

export interface SlotValues {
  /** What comes in: [..., in] */
  readonly x: Tensor;
  /** What the host makes of it: [..., out] */
  readonly y: Tensor;
  /** The tensors of the seed, as `seedTensors` lists them. */
  readonly tensors: readonly Tensor[];
  /** Scales the change; 1 when absent. */
  readonly alpha: Tensor | undefined;
}

/** The change that a seed makes to the host's value. -> [..., out] */
export const seedChange = (
  blueprint: SeedBlueprint,
  { x, y, tensors: [first, second], alpha }: SlotValues,
): Tensor => {
  // Scaled where it is narrow.
  const scaled = (inner: Tensor, factor = 1): Tensor => {
    const both = alpha && factor !== 1 ? mul(alpha, factor) : alpha;
    return both ? mul(inner, both) : mul(inner, factor);
  };
  switch (blueprint.kind) {
    case 'lora':
      return affine(scaled(affine(x, first!), blueprint.scaling), second!);
    case 'bottleneck':
      return affine(scaled(relu(affine(y, first!))), second!);
    case 'head':
      return scaled(affine(x, first!));
  }
};
