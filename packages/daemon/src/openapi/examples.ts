/** Examples of the routes that are asked most; a test holds them against their schemas. */
import { VERSION } from '@tollama/core/version';

const SERIES = {
  id: 'sales',
  freq: 'D',
  timestamps: ['2025-01-01', '2025-01-02', '2025-01-03', '2025-01-04', '2025-01-05'],
  target: [10, 12, 13, 12, 14],
} as const;

export const FORECAST_BODY = {
  model: 'chronos-bolt-tiny',
  horizon: 2,
  quantiles: [0.1, 0.9],
  series: [SERIES],
} as const;

export const FORECAST = {
  model: 'chronos-bolt-tiny',
  forecasts: [
    {
      id: 'sales',
      freq: 'D',
      start_timestamp: '2025-01-06',
      mean: [14.2, 14.6],
      quantiles: { '0.1': [12.9, 13], '0.9': [15.6, 16.3] },
    },
  ],
  metrics: null,
  timing: { model_load_ms: 0, inference_ms: 6.1, total_ms: 8.4 },
  explanation: null,
  narrative: null,
  preprocessing: null,
  usage: { model: 'chronos-bolt-tiny', series_count: 1, horizon: 2, points: 5 },
  warnings: null,
} as const;

export const AUTO_FORECAST_BODY = { horizon: 2, strategy: 'fastest', series: [SERIES] } as const;

const RANKED = {
  model: 'chronos-bolt-tiny',
  family: 'chronos-bolt',
  rank: 1,
  score: 82.5,
  reasons: ['accuracy 75 and speed 75 of 100 for its kind'],
} as const;

export const AUTO_FORECAST = {
  strategy: 'fastest',
  selection: {
    strategy: 'fastest',
    chosen_model: 'chronos-bolt-tiny',
    selected_models: ['chronos-bolt-tiny'],
    candidates: [RANKED],
    rationale: ["strategy 'fastest' ranked 1 models", ...RANKED.reasons],
    fallback_used: false,
  },
  response: FORECAST,
} as const;

export const VALIDATION = {
  valid: true,
  errors: [],
  warnings: [
    "model 'chronos-bolt-tiny' is not installed; what it can do is taken from the registry",
  ],
  suggestions: ['tollama pull chronos-bolt-tiny'],
} as const;

export const COMPARE_BODY = {
  models: ['chronos-bolt-tiny', 'theta'],
  horizon: 2,
  series: [SERIES],
} as const;

const DIGEST = '0c5d2e7a4b1f9d8e6c3a5b7f1e2d4c6a8b9f0e1d';
const INSTALLED_AT = '2025-01-01T12:00:00.000Z';

export const TAGS_ANSWER = {
  models: [
    {
      name: 'chronos-bolt-tiny',
      model: 'chronos-bolt-tiny',
      modified_at: INSTALLED_AT,
      size: 34_639_768,
      digest: DIGEST,
      details: {
        format: 'tollama',
        family: 'chronos-bolt',
        families: ['chronos-bolt'],
        parameter_size: '',
        quantization_level: '',
      },
    },
  ],
} as const;

const SOURCE = {
  type: 'huggingface',
  repo_id: 'amazon/chronos-bolt-tiny',
  revision: 'main',
} as const;
const LICENSE = { type: 'apache-2.0', needs_acceptance: false, accepted: true } as const;

const LISTED = {
  name: 'chronos-bolt-tiny',
  family: 'chronos-bolt',
  installed: true,
  license: LICENSE,
  source: SOURCE,
  metadata: { context_length: 2048 },
  capabilities: {
    past_covariates_numeric: false,
    past_covariates_categorical: false,
    future_covariates_numeric: false,
    future_covariates_categorical: false,
    static_covariates: false,
  },
} as const;

export const MODELS = { available: [LISTED], installed: [LISTED] } as const;

export const SHOW = {
  name: 'chronos-bolt-tiny',
  model: 'chronos-bolt-tiny',
  modified_at: INSTALLED_AT,
  family: 'chronos-bolt',
  source: SOURCE,
  resolved: { commit_sha: DIGEST, snapshot_path: null },
  digest: DIGEST,
  size: 34_639_768,
  snapshot_path: null,
  license: { ...LICENSE, accepted_at: null },
  modelfile: '',
  parameters: '',
  adapter: null,
  description: null,
  metadata: { context_length: 2048 },
} as const;

export const PULL_BODY = { model: 'chronos-bolt-tiny', stream: false } as const;

export const PULLED = {
  status: 'success',
  model: 'chronos-bolt-tiny',
  digest: DIGEST,
  size: 34_639_768,
} as const;

export const PS = {
  models: [
    {
      name: 'chronos-bolt-tiny',
      model: 'chronos-bolt-tiny',
      expires_at: '2025-01-01T12:05:00.000Z',
      size: 120_586_240,
      size_vram: 0,
      weights: 34_639_768,
      context_length: 2048,
      details: { family: 'chronos-bolt' },
    },
  ],
} as const;

export const HEALTH = { status: 'ok' } as const;
export const VERSION_ANSWER = { version: VERSION } as const;
