/** One TinyTimeMixer: backbone, decoder and head, from a context of its own length to a forecast. */
import {
  add,
  concat,
  dimOf,
  rearrange,
  repeat,
  slice,
  type Tensor,
  take,
  type Weights,
  widthOf,
} from '@tollama/graph';
import type { Probe } from '../../family.ts';
import { linear } from '../../nn/linear.ts';
import { mixForecastChannels, pickChannels } from './channel-mixing.ts';
import { predictedChannels, selectsChannels, stepsOf, type TtmConfig } from './config.ts';
import { mixerBlock } from './mixer.ts';
import { quantileHead } from './quantile-head.ts';
import { filled, type Scaled, scaleContext, unscale } from './scaler.ts';
import { tokenSequence } from './tokens.ts';

export interface ForecasterInputs {
  /** Values with 0 where missing [b, c, context_length]. */
  readonly past: Tensor;
  /** 1 where observed, else 0; of the shape of `past`. */
  readonly observed: Tensor;
  /** Known futures of the exogenous channels [b, exogenous, steps]. */
  readonly future?: Tensor | undefined;
  /** Tokens of the sampling frequency [b] int64. */
  readonly frequency?: Tensor | undefined;
  /** Codes of the static categorical covariates [b, variables] int64. */
  readonly categories?: Tensor | undefined;
}

export interface Forecast {
  /** [b, predicted, steps] */
  readonly point: Tensor;
  /** [b, predicted, levels, steps], of checkpoints with a quantile head */
  readonly quantiles: Tensor | undefined;
  /** Of the predicted channels [b, predicted, 1]. */
  readonly loc: Tensor;
  readonly scale: Tensor;
}

/** Each category as a further channel that is the same at every patch. -> [b, variables, n, d] */
const categoryChannels = (categories: Tensor, patches: number, w: Weights, c: TtmConfig): Tensor =>
  concat(
    c.categorical_vocab_size_list!.map((size, i) => {
      const table = w.get(`embedding_layers.${i}.weight`, [size, c.decoder_d_model]);
      const code = slice(categories, 1, { start: i, end: i + 1 });
      return repeat(take(table, code), 'b 1 d -> b 1 n d', { n: patches });
    }),
    1,
  );

/** patches [b, c, n, p] as they came in, with a zero patch where the frequency token stands. */
const rawResidual = (x: Tensor, patches: Tensor, w: Weights, c: TtmConfig): Tensor => {
  const embedding = w.at('decoder_raw_embedding');
  const isShort = c.resolution_prefix_tuning && widthOf(patches, 2) === widthOf(x, 2) - 1;
  const zero = rearrange(filled(patches, c.patch_length, 0), 'b c p -> b c 1 p');
  const aligned = isShort ? concat([zero, patches], 2) : patches;
  return add(x, linear(aligned, embedding, c.decoder_d_model));
};

/** x [b, c, n, d_model] -> [b, c, n, decoder_d_model] */
const decoder = (
  x: Tensor,
  patches: Tensor,
  categories: Tensor | undefined,
  w: Weights,
  c: TtmConfig,
  probe: Probe,
): Tensor => {
  let y = x;
  if (c.d_model !== c.decoder_d_model) {
    y = probe('decoder_adapter', linear(y, w.at('adapter'), c.decoder_d_model));
  }
  if (c.decoder_raw_residual) y = rawResidual(y, patches, w, c);
  if (categories) {
    const embedding = w.at('decoder_cat_embedding_layer');
    y = concat([y, categoryChannels(categories, widthOf(y, 2), embedding, c)], 1);
  }
  const stack = {
    ...c,
    num_layers: c.decoder_num_layers,
    adaptive_patching_levels: c.decoder_adaptive_patching_levels,
    mode: c.decoder_mode,
  };
  const mixed = mixerBlock(y, w.at('decoder_block'), stack, (_, tensor) => tensor);
  probe('decoder_out', mixed);
  return categories ? slice(mixed, 1, { end: dimOf(x, 1) }) : mixed;
};

/** hidden [b, c, n, d] -> normalised forecast [b, predicted, steps] */
const head = (
  hidden: Tensor,
  { past, future }: ForecasterInputs,
  w: Weights,
  c: TtmConfig,
  probe: Probe,
): Tensor => {
  const flat = rearrange(hidden, 'b c n d -> b c (n d)');
  const all = probe('head_raw', linear(flat, w.at('base_forecast_block'), c.prediction_length));
  const predicted = selectsChannels(c) ? pickChannels(all, predictedChannels(c)) : all;
  const steps = future ? dimOf(future, 2) : stepsOf(c);
  const cut = steps === c.prediction_length ? predicted : slice(predicted, 2, { end: steps });
  if (!c.enable_forecast_channel_mixing) return cut;
  const mixed = mixForecastChannels(cut, past, future, w.at('fcm_block'), c);
  probe('forecast_channel_mixed', rearrange(mixed, 'b c t -> b t c'));
  return mixed;
};

const withScaleOf = ({ loc, scale }: Scaled, c: TtmConfig): Pick<Forecast, 'loc' | 'scale'> =>
  selectsChannels(c)
    ? {
        loc: pickChannels(loc, predictedChannels(c)),
        scale: pickChannels(scale, predictedChannels(c)),
      }
    : { loc, scale };

/** quantiles [b, c, q, t] in the units of the series. */
export const unscaleQuantiles = (y: Tensor, { loc, scale }: Pick<Forecast, 'loc' | 'scale'>) =>
  unscale(y, {
    loc: rearrange(loc, 'b c 1 -> b c 1 1'),
    scale: rearrange(scale, 'b c 1 -> b c 1 1'),
  });

/** One pass, in the units of the series (which are the normalised ones where scaling is off). */
export const forecaster = (
  inputs: ForecasterInputs,
  w: Weights,
  c: TtmConfig,
  probe: Probe,
): Forecast => {
  const scaled = scaleContext(inputs.past, inputs.observed, c);
  probe('scaled_input', rearrange(scaled.values, 'b c t -> b t c'));
  const encoder = w.at('backbone.encoder');
  const context = { context: scaled.values, frequency: inputs.frequency };
  const { sequence, patches } = tokenSequence(context, encoder, c, probe);
  const mixed = mixerBlock(sequence, encoder.at('mlp_mixer_encoder'), c, probe);
  probe('encoder_out', mixed);
  const hidden = c.use_decoder
    ? decoder(mixed, patches, inputs.categories, w.at('decoder'), c, probe)
    : mixed;
  const point = head(hidden, inputs, w.at('head'), c, probe);
  const scale = withScaleOf(scaled, c);
  if (!c.multi_quantile_head)
    return { point: unscale(point, scale), quantiles: undefined, ...scale };

  const quantiles = quantileHead(point, hidden, w.at('multi_quantile_head_block'), c);
  probe('quantiles_scaled', rearrange(quantiles, 'b c q t -> b q t c'));
  const middle = (widthOf(quantiles, 2) - 1) / 2;
  const median = slice(quantiles, 2, { start: middle, end: middle + 1 });
  return {
    point: unscale(rearrange(median, 'b c 1 t -> b c t'), scale),
    quantiles: unscaleQuantiles(quantiles, scale),
    ...scale,
  };
};
