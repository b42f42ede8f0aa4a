/** config.json of TinyTimeMixer as published, and what follows from it. */
import { z } from 'zod';

const count = z.int().positive();
const nullable = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().default(null);
const mixing = z.enum(['common_channel', 'mix_channel']).default('common_channel');

const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

const Keys = z.object({
  architectures: z
    .array(z.enum(['TinyTimeMixerForPrediction', 'TinyTimeMixerForDecomposedPrediction']))
    .min(1)
    .default(['TinyTimeMixerForPrediction']),
  context_length: count.default(64),
  masked_context_length: nullable(z.null()),
  prediction_length: count.default(16),
  prediction_filter_length: nullable(count),
  patch_length: count.default(8),
  patch_stride: count.default(8),
  num_input_channels: count.default(1),
  prediction_channel_indices: nullable(z.array(z.int().min(0)).min(1)),
  exogenous_channel_indices: nullable(z.array(z.int().min(0))),
  categorical_vocab_size_list: nullable(z.array(count).min(1)),
  loss: z.enum(['mse', 'mae', 'pinball', 'huber']).nullable().default('mse'),

  scaling: z
    .union([z.enum(['std', 'mean']), z.boolean()])
    .nullable()
    .default('std'),
  /** Floor of the scale: added to the variance under "std", the least scale under "mean". */
  minimum_scale: z.number().positive().optional(),
  /** Scale of rows without an observation under "mean"; the batch's mean scale when absent. */
  default_scale: z.number().positive().nullish(),
  scaling_dim: z.literal(1).optional(),
  keepdim: z.literal(true).optional(),

  d_model: count.default(16),
  num_layers: count.default(3),
  expansion_factor: count.default(2),
  adaptive_patching_levels: z.int().min(0).default(0),
  mode: mixing,
  norm_mlp: z.string().default('LayerNorm'),
  norm_eps: z.number().positive().default(1e-5),
  gated_attn: z.boolean().default(true),
  gate_mode: z.enum(['softmax', 'sigmoid', 'group_sigmoid', 'glu']).default('softmax'),
  gate_groups: z.int().default(8),
  use_register_context_gating: z.literal(false).optional(),
  self_attn: z.boolean().default(false),
  self_attn_heads: count.default(1),
  use_positional_encoding: z.boolean().default(false),
  resolution_prefix_tuning: z.boolean().default(false),
  frequency_token_vocab_size: count.default(5),

  use_decoder: z.boolean().default(true),
  decoder_d_model: count.default(8),
  decoder_num_layers: count.default(8),
  decoder_adaptive_patching_levels: z.int().min(0).default(0),
  decoder_mode: mixing,
  decoder_raw_residual: z.boolean().default(false),

  enable_forecast_channel_mixing: z.boolean().default(false),
  fcm_context_length: z.int().min(0).default(1),
  fcm_use_mixer: z.boolean().default(false),
  fcm_mix_layers: count.default(2),
  fcm_gated_attn: z.boolean().default(true),
  fcm_prepend_past: z.boolean().default(true),
  fcm_prepend_past_offset: nullable(count),

  multi_scale: z.boolean().default(false),
  enable_base_norm_always: z.boolean().default(false),
  register_tokens: z.int().min(0).default(0),
  fft_length: z.int().min(0).default(0),
  use_fft_embedding: z.boolean().default(true),
  get_one_freq_emb: z.boolean().default(false),
  fft_ignore_dc: z.boolean().default(false),
  fft_d_freq_min: count.default(4),
  fft_d_freq_max: count.default(64),

  multi_quantile_head: z.boolean().default(false),
  quantile_levels: z
    .array(z.number().gt(0).lt(1))
    .nullish()
    .transform((levels) => levels ?? DECILES),
  mq_hidden: count.default(8),
  mq_kernel_size: count.default(3),
  mq_eps: z.number().min(0).default(1e-6),
  mq_use_decoder_pool: z.boolean().default(false),
  mq_q50_type: z.string().default('median'),
  mq_cond_path: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['pool', 'flatten']))
    .default('pool'),
  mq_cond_mode: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['add', 'concat']))
    .default('add'),
  mq_decoder_d_model: count.default(8),

  residual_context_length: nullable(count),
  combine_quantiles_via_variance: z.boolean().default(false),
  trend_patch_length: nullable(count),
  trend_patch_stride: nullable(count),
  trend_d_model: nullable(count),
  trend_decoder_d_model: nullable(count),
  trend_num_layers: nullable(count),
  trend_decoder_num_layers: nullable(count),
  trend_register_tokens: nullable(z.int().min(0)),
  trend_fft_length: nullable(z.int().min(0)),
  trend_multi_scale: nullable(z.boolean()),
  trend_adaptive_patching_levels: nullable(z.int().min(0)),
});
export type TtmConfig = z.infer<typeof Keys>;

type Complain = (key: keyof TtmConfig, message: string) => void;

/** Patches are split by this factor at an adaptive level; not at all where 4 features would be left. */
export const splitAt = (level: number, width: number): number =>
  Math.floor(width / 2 ** level) <= 4 ? 1 : 2 ** level;

const splitsEvenly = (levels: number, width: number): boolean =>
  Array.from({ length: levels }, (_, i) => splitAt(i, width)).every((by) => width % by === 0);

const checkTokens = (c: TtmConfig, complain: Complain): void => {
  if (c.patch_stride !== c.patch_length) complain('patch_stride', 'must equal patch_length');
  if (c.context_length <= c.patch_length) complain('context_length', 'must exceed patch_length');
  if (c.d_model % c.self_attn_heads !== 0) complain('self_attn_heads', 'must divide d_model');
  if (!splitsEvenly(c.adaptive_patching_levels, c.d_model)) {
    complain('adaptive_patching_levels', `halves d_model = ${c.d_model} unevenly`);
  }
  if (c.use_decoder && !splitsEvenly(c.decoder_adaptive_patching_levels, c.decoder_d_model)) {
    complain('decoder_adaptive_patching_levels', 'halves decoder_d_model unevenly');
  }
  const extra = c.multi_scale || c.register_tokens > 0 || c.fft_length > 0;
  if (c.use_decoder && c.decoder_raw_residual && extra) {
    complain('decoder_raw_residual', 'does not go with multi_scale, register_tokens or fft_length');
  }
};

const checkChannels = (c: TtmConfig, complain: Complain): void => {
  for (const key of ['prediction_channel_indices', 'exogenous_channel_indices'] as const) {
    if (c[key]?.some((channel) => channel >= c.num_input_channels)) {
      complain(key, `must lie below num_input_channels = ${c.num_input_channels}`);
    }
  }
  if (c.use_decoder && c.categorical_vocab_size_list && c.decoder_mode !== 'mix_channel') {
    complain('decoder_mode', 'must be "mix_channel" with categorical_vocab_size_list');
  }
  if ((c.prediction_filter_length ?? 1) > c.prediction_length) {
    complain('prediction_filter_length', `must not exceed prediction_length`);
  }
};

const checkQuantileHead = (c: TtmConfig, complain: Complain): void => {
  if (!c.multi_quantile_head) return;
  const levels = c.quantile_levels.toSorted((a, b) => a - b);
  if (levels.length % 2 !== 1 || Math.abs(levels[(levels.length - 1) / 2]! - 0.5) > 1e-12) {
    complain('quantile_levels', 'needs 0.5 and as many levels below as above it');
  }
  if (c.mq_kernel_size % 2 !== 1) complain('mq_kernel_size', 'must be odd');
  const selects = predictedChannels(c).length !== c.num_input_channels;
  if (c.mq_use_decoder_pool && selects) {
    complain('mq_use_decoder_pool', 'does not go with prediction_channel_indices');
  }
};

/** The keys of the published files; unknown ones pass, defaults are those of the reference's class. */
export const TtmConfig = Keys.superRefine((c, context) => {
  const complain: Complain = (key, message) => {
    context.addIssue({ code: 'custom', path: [key], message });
  };
  checkTokens(c, complain);
  checkChannels(c, complain);
  checkQuantileHead(c, complain);
});

export const isDecomposed = (c: TtmConfig): boolean =>
  c.architectures[0] === 'TinyTimeMixerForDecomposedPrediction';

/** Steps of one pass. */
export const stepsOf = (c: TtmConfig): number => c.prediction_filter_length ?? c.prediction_length;

const ascending = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

/** Channels whose future is known, ascending. */
export const exogenousChannels = (c: TtmConfig): readonly number[] =>
  ascending(c.exogenous_channel_indices ?? []);

/** Channels whose known future the model reads. */
export const futureChannels = (c: TtmConfig): readonly number[] =>
  c.enable_forecast_channel_mixing ? exogenousChannels(c) : [];

/**
 * Channels that are forecast, ascending: all but the exogenous ones unless listed. Decomposed models keep
 * the order of the list: the reference sorts only inside of their two forecasters, and scales, trains and
 * rolls out what comes from them as the listed channels.
 */
export const predictedChannels = (c: TtmConfig): readonly number[] => {
  if (c.prediction_channel_indices) {
    const listed = c.prediction_channel_indices;
    return isDecomposed(c) ? listed : ascending(listed);
  }
  const known = new Set(c.exogenous_channel_indices);
  return Array.from({ length: c.num_input_channels }, (_, i) => i).filter((i) => !known.has(i));
};

/** Whether only some of the channels are forecast. */
export const selectsChannels = (c: TtmConfig): boolean =>
  c.prediction_channel_indices !== null || c.exogenous_channel_indices !== null;

/** Whether channels see each other or have roles; else each is an independent series. */
export const isMultivariate = (c: TtmConfig): boolean =>
  c.mode === 'mix_channel' ||
  (c.use_decoder && c.decoder_mode === 'mix_channel') ||
  c.enable_forecast_channel_mixing ||
  selectsChannels(c);

/** Levels of the quantile head, ascending; empty for point forecasters. */
export const quantileLevels = (c: TtmConfig): readonly number[] =>
  c.multi_quantile_head ? ascending(c.quantile_levels) : [];

/** Each part of a decomposed model is a plain one. */
const PLAIN: Pick<TtmConfig, 'architectures' | 'scaling'> = {
  architectures: ['TinyTimeMixerForPrediction'],
  scaling: null,
};

/** The trend forecaster of a decomposed model. */
export const trendConfig = (c: TtmConfig): TtmConfig => ({
  ...c,
  ...PLAIN,
  patch_length: c.trend_patch_length ?? c.patch_length,
  patch_stride: c.trend_patch_stride ?? c.patch_stride,
  d_model: c.trend_d_model ?? c.d_model,
  decoder_d_model: c.trend_decoder_d_model ?? c.decoder_d_model,
  num_layers: c.trend_num_layers ?? c.num_layers,
  decoder_num_layers: c.trend_decoder_num_layers ?? c.decoder_num_layers,
  register_tokens: c.trend_register_tokens ?? c.register_tokens,
  fft_length: c.trend_fft_length ?? c.fft_length,
  multi_scale: c.trend_multi_scale ?? c.multi_scale,
  adaptive_patching_levels: c.trend_adaptive_patching_levels ?? c.adaptive_patching_levels,
});

/** The residual forecaster of a decomposed model; it sees the last residual_context_length steps. */
export const residualConfig = (c: TtmConfig): TtmConfig => ({
  ...c,
  ...PLAIN,
  context_length: c.residual_context_length ?? c.context_length,
});
