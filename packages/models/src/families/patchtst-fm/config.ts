/** config.json of PatchTST-FM as published, and what follows from it. */
import { z } from 'zod';

const count = z.int().positive();

const Keys = z.object({
  architectures: z
    .array(z.literal('PatchTSTFMForPrediction'))
    .min(1)
    .default(['PatchTSTFMForPrediction']),
  context_length: count.default(8192),
  prediction_length: count.default(64),
  d_patch: count.default(16),
  patch_stride: count.nullable().default(null),
  patch_loss_windowing: z.enum(['rectangular', 'triangular', 'hamming']).nullable().default(null),
  n_patch: count.optional(),
  d_model: count.default(384),
  n_head: count.default(6),
  n_layer: count.default(6),
  norm_first: z.boolean().default(true),
  qkv_bias: z.boolean().default(true),
  prehead_norm: z.boolean().default(false),
  block_type: z.enum(['transformer', 'conformer']).default('transformer'),
  /** Of conformer blocks; a list has one for each layer, 0 or less makes it a transformer block. */
  conv_kernel_size: z.union([z.int(), z.array(z.int())]).default(3),
  is_causal: z.boolean().default(false),
  mlp_type: z.enum(['mlp', 'swiglu']).default('mlp'),
  pretrain_mask_cont: z.int().min(0).default(8),
  randomize_cpm: z.boolean().default(false),
  num_quantile: z.int().min(2).default(99),
  quantile_levels: z.array(z.number().gt(0).lt(1)).optional(),
  use_pruning: z.boolean().default(true),
});
export type PatchTstConfig = z.infer<typeof Keys>;

/** Kernel of the convolution of each layer; 0 for transformer blocks. */
export const kernelSizes = (c: PatchTstConfig): readonly number[] => {
  if (c.block_type === 'transformer') return Array.from({ length: c.n_layer }, () => 0);
  const sizes = c.conv_kernel_size;
  return typeof sizes === 'number' ? Array.from({ length: c.n_layer }, () => sizes) : sizes;
};

export const hasConvolutions = (c: PatchTstConfig): boolean =>
  kernelSizes(c).some((size) => size > 0);

/** Steps between the starts of neighbouring patches. */
export const strideOf = (c: PatchTstConfig): number => c.patch_stride ?? c.d_patch;

/** Whether patches overlap or leave gaps, so that their forecasts are folded together. */
export const isFolded = (c: PatchTstConfig): boolean => strideOf(c) !== c.d_patch;

/** Patches of the whole window. */
export const patchCount = (c: PatchTstConfig): number =>
  Math.floor((c.context_length - c.d_patch) / strideOf(c)) + 1;

/** Steps at the end of the window that no patch covers. */
export const uncoveredSteps = (c: PatchTstConfig): number =>
  c.context_length - c.d_patch - (patchCount(c) - 1) * strideOf(c);

/** The network always forecasts at least this many steps. */
export const leastForecast = (c: PatchTstConfig): number => {
  const masked = c.randomize_cpm ? 2 * c.pretrain_mask_cont : c.pretrain_mask_cont;
  return c.d_patch * Math.max(masked, 2);
};

/** Levels of the quantiles, ascending. */
export const quantileLevels = (c: PatchTstConfig): readonly number[] => {
  if (c.quantile_levels) return c.quantile_levels;
  const n = c.num_quantile;
  if (n % 9 === 0) return Array.from({ length: n }, (_, i) => (i + 1) / (n + 1));
  return [0.01, ...Array.from({ length: n - 2 }, (_, i) => (i + 1) / (n - 1)), 0.99];
};

type Complain = (key: keyof PatchTstConfig, message: string) => void;

const checkPatches = (c: PatchTstConfig, complain: Complain): void => {
  if (c.patch_stride === null && c.context_length % c.d_patch !== 0) {
    complain('context_length', `must be a multiple of d_patch = ${c.d_patch}`);
  }
  if (c.n_patch !== undefined && c.n_patch !== patchCount(c)) {
    complain('n_patch', `must be ${patchCount(c)}, as context_length and d_patch have it`);
  }
  if (isFolded(c) && c.patch_loss_windowing === null) {
    complain('patch_loss_windowing', 'is needed where patches overlap');
  }
  if (leastForecast(c) >= c.context_length) {
    complain('pretrain_mask_cont', 'leaves no context');
  }
};

const checkBlocks = (c: PatchTstConfig, complain: Complain): void => {
  if (c.d_model % c.n_head !== 0) complain('n_head', `must divide d_model = ${c.d_model}`);
  if (c.quantile_levels && c.quantile_levels.length !== c.num_quantile) {
    complain('quantile_levels', `must be num_quantile = ${c.num_quantile} levels`);
  }
  if (kernelSizes(c).length !== c.n_layer) {
    complain('conv_kernel_size', `must be one number, or n_layer = ${c.n_layer} of them`);
  }
  if (!hasConvolutions(c)) return;
  if (kernelSizes(c).some((size) => size > 0 && size % 2 === 0)) {
    complain('conv_kernel_size', 'must be odd');
  }
  // The reference fails on both.
  if (c.is_causal) complain('is_causal', 'is not supported for conformer blocks');
  if (!c.norm_first) complain('norm_first', 'must be true for conformer blocks');
};

/** The keys of the published files; unknown ones pass, defaults are those of the reference's class. */
export const PatchTstConfig = Keys.superRefine((c, context) => {
  const complain: Complain = (key, message) => {
    context.addIssue({ code: 'custom', path: [key], message });
  };
  checkPatches(c, complain);
  checkBlocks(c, complain);
});
