/** Which installed model a name of the TimeGPT API means. */
import { DEFAULT_MODEL } from '@tollama/core/statistical';

/** Names that clients use by themselves; all names of that form are understood. */
export const TIMEGPT_NAMES = ['timegpt-1', 'timegpt-1-long-horizon', 'timegpt-2.1'] as const;

const TIMEGPT_NAME = /^(?:timegpt(?:[-_.].*)?|azureai)$/i;

/**
 * The configured model for a TimeGPT name, the product's own default where none is configured; other names are
 * those of models.
 */
export const modelBehind = (name: string, aliases: Readonly<Record<string, string>>): string => {
  if (!TIMEGPT_NAME.test(name)) return name;
  return aliases[name] ?? aliases['*'] ?? DEFAULT_MODEL;
};
