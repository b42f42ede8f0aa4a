/** Which modules an adapter takes, by PEFT's rules. */
import { TollamaError } from '@tollama/core/errors';

/** Names or ends of names, a regular expression of the whole name, or all linear layers. */
export type TargetModules = readonly string[] | string;

export const ALL_LINEAR = 'all-linear';

const endsWith = (module: string, entry: string): boolean =>
  module === entry || module.endsWith(`.${entry}`);

const pattern = (text: string): RegExp => {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch (cause) {
    throw new TollamaError('INVALID_REQUEST', `'${text}' is no regular expression`, { cause });
  }
};

const matches = (module: string, targets: TargetModules): boolean => {
  if (typeof targets !== 'string') return targets.some((entry) => endsWith(module, entry));
  return targets === ALL_LINEAR || pattern(targets).test(module);
};

/**
 * The modules that the targets name, without the excluded ones.
 *
 * @throws TollamaError INVALID_REQUEST when none is named
 */
export const matchModules = (
  modules: readonly string[],
  targets: TargetModules,
  exclude: TargetModules = [],
): readonly string[] => {
  const matched = modules.filter((module) => matches(module, targets) && !matches(module, exclude));
  if (matched.length > 0) return matched;
  const wanted = typeof targets === 'string' ? targets : targets.join(', ');
  const last = [...new Set(modules.map((module) => module.split('.').at(-1)))];
  throw new TollamaError('INVALID_REQUEST', `no linear layer is named '${wanted}'`, {
    hint: `its linear layers end in ${last.join(', ')}`,
  });
};
