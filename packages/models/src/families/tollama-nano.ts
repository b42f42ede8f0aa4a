/**
 * tollama-nano: the model in the box. Cheap forecasts of many kinds (anchors) rehearse on the series' own past; a
 * small network, trained on synthetic series alone, weighs them, corrects them and says how sure it is. Any horizon
 * in one pass; the same answer for a series whatever it is batched with.
 *
 * Made here: docs/models/tollama-nano.md says from what and how; packages/training/src/nano trains it.
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import { defineFamily } from '../family.ts';
import { LEVELS, NanoConfig, nanoGraph } from './tollama-nano/network.ts';
import { LONGEST_CONTEXT } from './tollama-nano/prepare.ts';
import { forecastSeries } from './tollama-nano/series.ts';
import { training } from './tollama-nano/training.ts';

export const tollamaNano = defineFamily<NanoConfig>({
  name: 'tollama-nano',
  config: NanoConfig,
  recognizes: (config) => config.model_type === 'tollama-nano',
  graphs: (c, w) => ({ forward: nanoGraph(c, w) }),
  capabilities: () => ({
    covariates: NO_COVARIATES,
    contextLength: LONGEST_CONTEXT,
    nativeHorizon: null,
    maxHorizon: null,
    quantiles: [...LEVELS],
    multivariate: false,
    samples: false,
  }),
  forecast: (run, _, task) => forecastSeries(run, task),
  training: (_, wish) => training(wish),
});
