/** Names of the models that are always there, nothing to pull: those without weights, and those in the box. */
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

/** The network whose weights come with the program, and its join with `auto`. */
export const NANO_MODEL_NAMES = ['tollama-nano', 'nano-auto'] as const;
export type NanoModelName = (typeof NANO_MODEL_NAMES)[number];

export const EMBEDDED_MODEL_NAMES = [...STATISTICAL_MODEL_NAMES, ...NANO_MODEL_NAMES] as const;

const STATISTICAL: ReadonlySet<string> = new Set(STATISTICAL_MODEL_NAMES);
const NANO: ReadonlySet<string> = new Set(NANO_MODEL_NAMES);

export const isStatisticalName = (name: string): name is StatisticalModelName =>
  STATISTICAL.has(name);

export const isNanoName = (name: string): name is NanoModelName => NANO.has(name);

/** Whether a model is always there; all of these run in the process of the family `statistical`. */
export const isEmbeddedName = (name: string): boolean => STATISTICAL.has(name) || NANO.has(name);

/** What runs when no model is named. */
export const DEFAULT_MODEL: NanoModelName = 'nano-auto';
