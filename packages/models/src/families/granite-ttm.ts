/**
 * TinyTimeMixer (TTM): perceptrons mix patches and features of the context; one pass gives the whole
 * horizon. No attention. r1 and r2 give points; r3 adds quantiles, several resolutions, tokens for the
 * strongest frequencies, and checkpoints that forecast a trend and its residual apart.
 *
 * Paper        Ekambaram et al., "Tiny Time Mixers (TTMs): Fast Pre-trained Models for Enhanced
 *              Zero/Few-Shot Forecasting of Multivariate Time Series", NeurIPS 2024
 * Reference    github.com/ibm-granite/granite-tsfm, package granite-tsfm 0.3.11,
 *              models/tinytimemixer (Apache-2.0)
 * Checkpoints  ibm-granite/granite-timeseries-ttm-{r1,r2,r3} (Apache-2.0); one revision for each context
 *              and horizon, see checkpoint-choice.ts. ibm-research/ttm-research-r2 (research licence)
 */
import { type Dim, defineGraph, type Graph, input, symbol, type Weights } from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import {
  futureChannels,
  isDecomposed,
  isMultivariate,
  predictedChannels,
  quantileLevels,
  stepsOf,
  TtmConfig,
} from './granite-ttm/config.ts';
import { decomposedForecaster, smootherInputs } from './granite-ttm/decomposition.ts';
import { type ForecasterInputs, forecaster } from './granite-ttm/forecaster.ts';
import { forecastSeries } from './granite-ttm/series.ts';
import { training } from './granite-ttm/training.ts';

const modelInputs = (c: TtmConfig, length: Dim): ForecasterInputs => {
  const batch = symbol('batch');
  const channels = isMultivariate(c) ? c.num_input_channels : symbol('channels');
  const exogenous = futureChannels(c).length;
  const variables = c.use_decoder ? (c.categorical_vocab_size_list?.length ?? 0) : 0;
  return {
    past: input('past_values', [batch, channels, length]),
    observed: input('past_observed_mask', [batch, channels, length]),
    future: exogenous > 0 ? input('future_values', [batch, exogenous, 'steps']) : undefined,
    frequency: c.resolution_prefix_tuning ? input('freq_token', [batch], 'int64') : undefined,
    categories:
      variables > 0 ? input('static_categorical_values', [batch, variables], 'int64') : undefined,
  };
};

/** past_values [batch, channels, time] with 0 where missing -> forecast [batch, predicted, steps] */
const forward = (c: TtmConfig, w: Weights, probe: Probe): Graph => {
  const length = isDecomposed(c) ? symbol('length') : c.context_length;
  const inputs = modelInputs(c, length);
  const tables = isDecomposed(c) ? smootherInputs(length) : undefined;
  const { point, quantiles, loc, scale } = tables
    ? decomposedForecaster(inputs, tables, w, c, probe)
    : forecaster(inputs, w, c, probe);
  const fed = [...Object.values(inputs), ...Object.values(tables ?? {})];
  return defineGraph(
    'granite-ttm',
    fed.filter((tensor) => tensor !== undefined),
    { forecast: point, ...(quantiles && { quantiles }), loc, scale },
  );
};

export const graniteTtm = defineFamily<TtmConfig>({
  name: 'granite-ttm',
  config: TtmConfig,
  recognizes: (config) => config.model_type === 'tinytimemixer',
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  capabilities: (c) => {
    const future = futureChannels(c).length;
    return {
      covariates: {
        past_covariates_numeric:
          isMultivariate(c) && c.num_input_channels > predictedChannels(c).length + future,
        past_covariates_categorical: false,
        future_covariates_numeric: future > 0,
        future_covariates_categorical: false,
        static_covariates: c.use_decoder && c.categorical_vocab_size_list !== null,
      },
      contextLength: c.context_length,
      nativeHorizon: stepsOf(c),
      maxHorizon: null,
      quantiles: [...quantileLevels(c)],
      multivariate: isMultivariate(c),
      samples: false,
    };
  },
  forecast: forecastSeries,
  training,
  keepFloat32: /patcher|freq_mod|add_fft_tokens|fcm_block|multi_quantile_head|base_forecast/,
});
