/** From the normalised context to the sequence that the mixers see: patches, and tokens before them. */
import {
  add,
  cast,
  concat,
  constant,
  type Dim,
  dimOf,
  div,
  gelu,
  layerNormalize,
  mean,
  mul,
  rearrange,
  relu,
  repeat,
  slice,
  type Tensor,
  take,
  top,
  type Weights,
  widthOf,
} from '@tollama/graph';
import type { Probe } from '../../family.ts';
import { powerSpectrum } from '../../nn/fourier.ts';
import { linear } from '../../nn/linear.ts';
import type { TtmConfig } from './config.ts';

/** The last whole patches; older steps that fill none are dropped. x [b, c, t] -> [b, c, n, p] */
const patchesOf = (x: Tensor, size: number): Tensor => {
  const start = widthOf(x) % size;
  return rearrange(slice(x, 2, { start }), 'b c (n p) -> b c n p', { p: size });
};

/** Means of `factor` neighbours; a rest at the end is dropped. x [b, c, t] -> [b, c, t / factor] */
const averaged = (x: Tensor, factor: number): Tensor => {
  if (factor === 1) return x;
  const end = Math.floor(widthOf(x) / factor) * factor;
  return mean(rearrange(slice(x, 2, { end }), 'b c (n f) -> b c n f', { f: factor }), 3);
};

/** Patches of the series at halved resolutions, each with its own projection, the coarsest first. */
const multiScalePatches = (patches: Tensor, w: Weights, c: TtmConfig): Tensor => {
  const series = rearrange(patches, 'b c n p -> b c (n p)');
  const scales: Tensor[] = [];
  for (let factor = 1; widthOf(series) / factor >= c.patch_length; factor *= 2) {
    const coarse = patchesOf(averaged(series, factor), c.patch_length);
    scales.unshift(linear(coarse, w.at(`projectors.${scales.length}`), c.d_model));
  }
  return concat(scales, 2);
};

/** The same [b, k, d] tokens for every channel: -> [b, c, k, d] */
const forChannels = (tokens: Tensor, channels: Dim): Tensor =>
  repeat(tokens, 'b k d -> b c k d', { c: channels });

/** The token of the sampling frequency. frequency [b] int64 -> [b, 1, d] */
const frequencyToken = (frequency: Tensor, w: Weights, c: TtmConfig): Tensor => {
  const embedding = w.get('0.weight', [c.frequency_token_vocab_size, c.patch_length]);
  const middle = Math.floor((c.patch_length + c.d_model) / 2);
  const hidden = gelu(linear(take(embedding, frequency), w.at('1'), middle));
  return rearrange(linear(hidden, w.at('3'), c.d_model), 'b d -> b 1 d');
};

/** Embeddings of frequency bins: a table, or a perceptron of the bin's place. -> [b, c, k, width] */
const embedBins = (
  bins: Tensor,
  w: Weights,
  c: TtmConfig,
  count: number,
  width: number,
): Tensor => {
  if (c.use_fft_embedding) return take(w.get('freq_embedding.weight', [count, width]), bins);
  const place = rearrange(div(cast(bins, 'float32'), count), 'b c k -> b c k 1');
  const mlp = w.at('freq_index_mlp');
  return linear(relu(linear(place, mlp.at('0'), width)), mlp.at('2'), width);
};

/** Tokens of the strongest frequencies, the strongest first. context [b, c, t] -> [b, c, k, d] */
const spectrumTokens = (context: Tensor, w: Weights, c: TtmConfig): Tensor => {
  const count = Math.floor(c.context_length / 2) + 1;
  const strongest = Math.min(c.fft_length, count);
  const spectrum = powerSpectrum(context);
  const heard = constant(Array.from({ length: count }, (_, bin) => (bin === 0 ? 0 : 1)));
  const { indices } = top(c.fft_ignore_dc ? mul(spectrum, heard) : spectrum, strongest);
  if (!c.get_one_freq_emb) return embedBins(indices, w, c, count, c.d_model);
  const fair = Math.max(1, Math.floor(c.d_model / strongest));
  const width = Math.max(c.fft_d_freq_min, Math.min(c.fft_d_freq_max, fair));
  const joined = rearrange(embedBins(indices, w, c, count, width), 'b c k d -> b c 1 (k d)');
  return linear(joined, w.at('freq_concat_proj'), c.d_model);
};

/** One layer norm over the whole sequence of a channel. x [b, c, n, d] */
const baseNorm = (x: Tensor, w: Weights, epsilon: number, probe: Probe): Tensor => {
  const flat = rearrange(x, 'b c n d -> b c (n d)');
  const width = [widthOf(flat)];
  const normed = layerNormalize(flat, w.get('weight', width), w.get('bias', width), epsilon);
  return rearrange(probe('base_norm', normed), 'b c (n d) -> b c n d', { d: widthOf(x) });
};

export interface TokenInputs {
  /** The normalised context [b, c, t]. */
  readonly context: Tensor;
  /** Tokens of the sampling frequency [b] int64, for checkpoints with frequency prefix tuning. */
  readonly frequency?: Tensor | undefined;
}

export interface Tokens {
  /** Input of the mixers [b, c, n, d]. */
  readonly sequence: Tensor;
  /** [b, c, n, p] */
  readonly patches: Tensor;
}

/** What comes later stands further left: spectrum, registers, frequency, patches. */
export const tokenSequence = (
  { context, frequency }: TokenInputs,
  w: Weights,
  c: TtmConfig,
  probe: Probe,
): Tokens => {
  const patches = patchesOf(context, c.patch_length);
  const patcher = w.at('patcher');
  let x = c.multi_scale
    ? multiScalePatches(patches, patcher, c)
    : linear(patches, patcher, c.d_model);
  probe('patches_embedded', x);
  const channels = dimOf(context, 1);
  if (frequency) {
    const token = frequencyToken(frequency, w.at('freq_mod'), c);
    x = concat([forChannels(token, channels), x], 2);
  }
  if (c.register_tokens > 0) {
    const registers = w.get('add_tokens.patch_tokens', [c.register_tokens, c.d_model]);
    const each = repeat(registers, 'k d -> b k d', { b: dimOf(context, 0) });
    x = probe('register_tokens', concat([forChannels(each, channels), x], 2));
  }
  if (c.fft_length > 0) {
    x = probe('fft_tokens', concat([spectrumTokens(context, w.at('add_fft_tokens'), c), x], 2));
  }
  if (c.use_positional_encoding) {
    const shape = [widthOf(x, 2), c.d_model];
    x = add(x, w.get('positional_encoder.position_enc', shape));
  }
  if (c.multi_scale || c.enable_base_norm_always) {
    x = baseNorm(x, w.at('base_norm'), c.norm_eps, probe);
  }
  return { sequence: x, patches };
};
