/** The models that have a name of their own; everything else is pulled as `owner/name`. */
import { type CovariateSupport, NO_COVARIATES } from './capabilities.ts';
import type { RegistryEntry } from './manifest.ts';

/** Covariates as the table writes them: P past, F known future, n numeric, c categorical, S static. */
const covariates = (flags: string): CovariateSupport => ({
  past_covariates_numeric: flags.includes('Pn'),
  past_covariates_categorical: flags.includes('Pc'),
  future_covariates_numeric: flags.includes('Fn'),
  future_covariates_categorical: flags.includes('Fc'),
  static_covariates: flags.includes('S'),
});

interface Row {
  readonly name: string;
  readonly family: string;
  /** repository[@revision] of the hub; a local model when absent. */
  readonly repo?: string;
  readonly license?: string;
  readonly notice?: string;
  readonly covariates?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const entry = ({
  name,
  family,
  repo,
  license = 'apache-2.0',
  notice,
  covariates: flags,
  metadata,
}: Row): RegistryEntry => {
  const [repoId, revision = 'main'] = (repo ?? `tollama/${name}-runner`).split('@') as [
    string,
    string?,
  ];
  return {
    name,
    family,
    source: { type: repo ? 'huggingface' : 'local', repo_id: repoId, revision },
    license: { type: license, needs_acceptance: notice !== undefined, ...(notice && { notice }) },
    metadata: metadata ?? {},
    capabilities: flags ? covariates(flags) : NO_COVARIATES,
  };
};

const NON_COMMERCIAL =
  'CC BY-NC 4.0: no commercial use; https://creativecommons.org/licenses/by-nc/4.0/';

const chronosBolt = (size: string): Row => ({
  name: `chronos-bolt-${size}`,
  family: 'chronos-bolt',
  repo: `amazon/chronos-bolt-${size}`,
  metadata: { context_length: 2048 },
});

const chronos2 = {
  family: 'chronos-2',
  covariates: 'Pn Pc Fn Fc',
  metadata: { context_length: 8192 },
} as const;

const chronosT5 = (size: string): Row => ({
  name: `chronos-t5-${size}`,
  family: 'chronos-t5',
  repo: `amazon/chronos-t5-${size}`,
  metadata: { context_length: 512, num_samples: 20 },
});

const ttm = (name: string, repo: string): Row => ({
  name,
  family: 'granite-ttm',
  repo,
  covariates: 'Pn Fn',
});

const moirai = (size: string): Row => ({
  name: `moirai-1.1-R-${size}`,
  family: 'moirai',
  repo: `Salesforce/moirai-1.1-R-${size}`,
  license: 'cc-by-nc-4.0',
  notice: NON_COMMERCIAL,
  covariates: 'Pn Fn',
});

const toto2 = (size: string): Row => ({
  name: `toto-2.0-${size.toLowerCase()}`,
  family: 'toto2',
  repo: `Datadog/Toto-2.0-${size}`,
  covariates: 'Pn Fn',
  metadata: { context_length: 4096 },
});

/** Contract, section 4: names that clients rely on; then the checkpoints of our own families. */
export const BUILT_IN_REGISTRY: readonly RegistryEntry[] = (
  [
    { name: 'mock', family: 'mock', license: 'mit' },
    { name: 'chronos2', family: 'torch', repo: 'amazon/chronos-2', covariates: 'Pn Pc Fn Fc' },
    {
      name: 'granite-ttm-r2',
      family: 'torch',
      repo: 'ibm-granite/granite-timeseries-ttm-r2@512-96-ft-l1-r2.1',
      covariates: 'Pn Fn',
      metadata: {
        implementation: 'granite_ttm',
        context_length: 512,
        prediction_length: 96,
        input_series_limit: 1,
      },
    },
    {
      name: 'timesfm-2.5-200m',
      family: 'timesfm',
      repo: 'google/timesfm-2.5-200m-pytorch',
      covariates: 'Pn Fn',
      metadata: { implementation: 'timesfm_2p5_torch', max_context: 1024, max_horizon: 256 },
    },
    {
      name: 'moirai-2.0-R-small',
      family: 'uni2ts',
      repo: 'Salesforce/moirai-2.0-R-small',
      license: 'cc-by-nc-4.0',
      notice: NON_COMMERCIAL,
      covariates: 'Pn Fn',
      metadata: { implementation: 'moirai_2p0', context_length: 1680 },
    },
    {
      name: 'sundial-base-128m',
      family: 'sundial',
      repo: 'thuml/sundial-base-128m',
      metadata: { context_length: 2880, max_horizon: 720, min_vram_gb: 4, num_samples: 100 },
    },
    {
      name: 'toto-open-base-1.0',
      family: 'toto',
      repo: 'Datadog/Toto-Open-Base-1.0',
      covariates: 'Pn',
      metadata: { context_length: 4096, max_horizon: 720, min_vram_gb: 8, num_samples: 256 },
    },
    {
      name: 'lag-llama',
      family: 'lag_llama',
      repo: 'time-series-foundation-models/Lag-Llama',
      metadata: { context_length: 1024, num_samples: 100 },
    },
    {
      name: 'patchtst',
      family: 'patchtst',
      repo: 'ibm-granite/granite-timeseries-patchtst',
      metadata: { context_length: 512 },
    },
    {
      name: 'timer-base',
      family: 'timer',
      repo: 'thuml/timer-base-84m',
      metadata: { context_length: 2880, max_horizon: 720, min_vram_gb: 4 },
    },
    { name: 'tide', family: 'tide', metadata: { trained_at_run_time: true } },
    {
      name: 'nhits',
      family: 'nhits',
      covariates: 'Pn Fn S',
      metadata: { trained_at_run_time: true },
    },
    {
      name: 'nbeatsx',
      family: 'nbeatsx',
      covariates: 'Pn Fn S',
      metadata: { trained_at_run_time: true },
    },
    {
      name: 'timemixer-base',
      family: 'timemixer',
      metadata: { forecast_ready: false, max_context: 1536, max_horizon: 720 },
    },
    {
      name: 'forecastpfn',
      family: 'forecastpfn',
      metadata: { forecast_ready: false, max_context: 1000, max_horizon: 300 },
    },
    ...['tiny', 'mini', 'small', 'base'].map(chronosBolt),
    { ...chronos2, name: 'chronos-2', repo: 'amazon/chronos-2' },
    { ...chronos2, name: 'chronos-2-small', repo: 'autogluon/chronos-2-small' },
    { ...chronos2, name: 'chronos-2-synth', repo: 'autogluon/chronos-2-synth' },
    ...['tiny', 'mini', 'small', 'base', 'large'].map(chronosT5),
    ttm('granite-ttm-r1', 'ibm-granite/granite-timeseries-ttm-r1'),
    ttm('granite-ttm-r2-512-96', 'ibm-granite/granite-timeseries-ttm-r2'),
    ttm('granite-ttm-r3', 'ibm-granite/granite-timeseries-ttm-r3@512-96-dec-512-r3'),
    {
      name: 'timesfm-2.0-500m',
      family: 'timesfm-1',
      repo: 'google/timesfm-2.0-500m-pytorch',
      covariates: 'Pn Fn Fc',
      metadata: { max_context: 2048 },
    },
    {
      name: 'timesfm-1.0-200m',
      family: 'timesfm-1',
      repo: 'google/timesfm-1.0-200m-pytorch',
      covariates: 'Pn Fn Fc',
      metadata: { max_context: 512 },
    },
    ...['small', 'base', 'large'].map(moirai),
    ...['4m', '22m', '313m', '1B', '2.5B'].map(toto2),
    {
      name: 'flowstate-r1',
      family: 'flowstate',
      repo: 'ibm-granite/granite-timeseries-flowstate-r1',
    },
    {
      name: 'flowstate-r1.1',
      family: 'flowstate',
      repo: 'ibm-granite/granite-timeseries-flowstate-r1@r1.1',
    },
    {
      name: 'tirex',
      family: 'tirex',
      repo: 'NX-AI/TiRex',
      license: 'nxai-community',
      notice: 'NXAI community licence; https://huggingface.co/NX-AI/TiRex',
      metadata: { context_length: 2048 },
    },
    {
      name: 'patchtst-fm-r1',
      family: 'patchtst-fm',
      repo: 'ibm-granite/granite-timeseries-patchtst-fm-r1',
    },
  ] satisfies Row[]
).map(entry);
