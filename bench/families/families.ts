/**
 * What is measured beside what: one checkpoint of each family, the reference's environment, and the options that
 * make both sides do the same.
 */

export interface FamilyCase {
  readonly family: string;
  /** Folder of the rig's `configs/`. */
  readonly config: string;
  /** Folder of the environments that holds the reference. */
  readonly environment: string;
  /** Folders of the sources that go onto Python's path. */
  readonly sources?: readonly string[];
  /** Arguments of the rig; a later one wins. */
  readonly reference?: readonly string[];
  /** Options of our forecasts. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Whether our forecasts are asked for quantiles; the reference gives them too. */
  readonly quantiles?: false;
  /** Series of the batch on both sides, where 32 take the reference minutes. */
  readonly batch?: number;
  /** A goal for batch 1 of its own: the reference is mostly overhead, or loops. */
  readonly kind?: 'overhead' | 'loops';
  readonly note?: string;
}

/** The reference's own forecast in its read-me, and the same of ours. */
const TIMESFM = {
  normalize_inputs: true,
  use_continuous_quantile_head: true,
  force_flip_invariance: true,
  infer_is_positive: true,
  fix_quantile_crossing: true,
};

export const FAMILIES: readonly FamilyCase[] = [
  { family: 'chronos-bolt', config: 'chronos-bolt-small', environment: 'chronos' },
  { family: 'chronos-2', config: 'chronos-2', environment: 'chronos' },
  {
    family: 'chronos-t5',
    config: 'chronos-t5-small',
    environment: 'chronos',
    reference: ['--repeats', '1'],
    options: { num_samples: 20 },
    batch: 4,
    kind: 'loops',
    note: '20 paths; batch of 4',
  },
  {
    family: 'granite-ttm',
    config: 'granite-ttm-r2-512-96',
    environment: 'granite',
    kind: 'overhead',
  },
  {
    family: 'flowstate',
    config: 'flowstate-r1.1',
    environment: 'granite',
    options: { scale_factor: 1 },
    kind: 'loops',
  },
  { family: 'patchtst-fm', config: 'patchtst-fm-r1', environment: 'granite' },
  {
    family: 'timesfm',
    config: 'timesfm-2.5',
    environment: 'timesfm-toto',
    sources: ['timesfm/src'],
    options: TIMESFM,
    note: 'quantile head, flip invariance',
  },
  {
    family: 'moirai2',
    config: 'moirai2-small',
    environment: 'uni2ts-tirex',
    kind: 'overhead',
  },
  {
    family: 'moirai',
    config: 'moirai-1.1-R-small',
    environment: 'uni2ts-tirex',
    options: { patch_size: 32 },
    note: 'patch 32; theirs draws 100 paths, ours reads quantiles off the mixture',
  },
  {
    family: 'toto',
    config: 'toto-1.0-base',
    environment: 'timesfm-toto',
    sources: ['toto'],
    quantiles: false,
    note: 'mean forecast',
  },
  {
    family: 'toto2',
    config: 'toto2-4m',
    environment: 'timesfm-toto',
    sources: ['toto/toto2', 'toto/dd_unit_scaling'],
    options: { has_missing_values: false },
    kind: 'overhead',
  },
  {
    family: 'sundial',
    config: 'sundial-base-128m',
    environment: 'thuml',
    options: { num_samples: 20 },
    kind: 'loops',
    note: '20 paths',
  },
  { family: 'timer', config: 'timer-base-84m', environment: 'thuml', kind: 'overhead' },
  { family: 'tirex', config: 'tirex', environment: 'uni2ts-tirex', kind: 'loops' },
  {
    family: 'lag-llama',
    config: 'lag-llama',
    environment: 'lag-llama',
    sources: ['lag-llama'],
    reference: ['--repeats', '1', '--samples', '10'],
    options: { num_samples: 10, context_length: 512 },
    batch: 2,
    kind: 'loops',
    note: '10 paths; batch of 2',
  },
];
