/**
 * Forecast channel mixing: every step of the forecast looks at its neighbours in time across all
 * channels, those with a known future among them. Values of the past and of known futures come in as
 * they are, the forecasts normalised: the reference does so, and it makes sense only for series that
 * were standardised outside.
 */
import {
  add,
  addDims,
  concat,
  constant,
  dimOf,
  iota,
  rearrange,
  slice,
  type Tensor,
  take,
  type Weights,
  widthOf,
} from '@tollama/graph';
import { linear } from '../../nn/linear.ts';
import { exogenousChannels, predictedChannels, type TtmConfig } from './config.ts';
import { gate, mixerBlock } from './mixer.ts';
import { filled } from './scaler.ts';

export const pickChannels = (x: Tensor, channels: readonly number[]): Tensor =>
  take(x, constant(channels, 'int64'), 1);

/** The last raw values of the predicted and the exogenous channels, or zeros. -> [b, n, k] */
const stepsBefore = (past: Tensor, forecast: Tensor, c: TtmConfig): Tensor => {
  const size = c.fcm_context_length;
  if (!c.fcm_prepend_past) return filled(forecast, size, 0);
  const end = widthOf(past) - (c.fcm_prepend_past_offset ?? 0);
  const recent = slice(past, 2, { start: end - size, end });
  return pickChannels(recent, [...predictedChannels(c), ...exogenousChannels(c)]);
};

/** Windows of k steps before and after each step. extended [b, n, h + 2k] -> [b, h, n, 2k + 1] */
const windowsOf = (extended: Tensor, width: number): Tensor => {
  const steps = addDims(dimOf(extended, 2), 1 - width);
  const places = add(rearrange(iota(steps), 's -> s 1'), rearrange(iota(width), 'w -> 1 w'));
  return rearrange(take(extended, places, 2), 'b n s w -> b s n w');
};

const mixWindows = (windows: Tensor, w: Weights, c: TtmConfig): Tensor => {
  const embedded = linear(windows, w.at('fcm_embedding'), 2 * widthOf(windows));
  const mixer = {
    ...c,
    num_layers: c.fcm_mix_layers,
    adaptive_patching_levels: 0,
    mode: 'common_channel' as const,
    gated_attn: c.fcm_gated_attn,
  };
  return mixerBlock(embedded, w.at('exog_mixer'), mixer, (_, tensor) => tensor);
};

/**
 * forecast [b, predicted, h] normalised, past [b, channels, t] and future [b, exogenous, h] raw
 * -> [b, predicted, h] normalised
 */
export const mixForecastChannels = (
  forecast: Tensor,
  past: Tensor,
  future: Tensor | undefined,
  w: Weights,
  c: TtmConfig,
): Tensor => {
  const joined = future ? concat([forecast, future], 1) : forecast;
  const size = c.fcm_context_length;
  const extended =
    size === 0
      ? joined
      : concat([stepsBefore(past, joined, c), joined, filled(joined, size, 0)], 2);
  const windows = windowsOf(extended, 2 * size + 1);
  const features = c.fcm_use_mixer && size > 0 ? mixWindows(windows, w, c) : windows;
  const flat = rearrange(features, 'b s n w -> b s (n w)');
  const gated = c.fcm_gated_attn ? gate(flat, w.at('fcm_gating_block'), c) : flat;
  const mixed = linear(gated, w.at('mlp'), predictedChannels(c).length);
  return add(rearrange(mixed, 'b s n -> b n s'), forecast);
};
