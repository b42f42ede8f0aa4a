/** Names of the models without weights: always there, nothing to pull. */
export const STATISTICAL_FAMILY = 'statistical';

export const STATISTICAL_MODEL_NAMES = [
  'auto',
  'naive',
  'seasonal-naive',
  'drift',
  'ewma',
  'theta',
  'auto-ets',
  'mstl',
  'croston',
] as const;
export type StatisticalModelName = (typeof STATISTICAL_MODEL_NAMES)[number];

const NAMES: ReadonlySet<string> = new Set(STATISTICAL_MODEL_NAMES);

export const isStatisticalName = (name: string): name is StatisticalModelName => NAMES.has(name);

/** What runs when no model is named. */
export const DEFAULT_MODEL: StatisticalModelName = 'auto';
