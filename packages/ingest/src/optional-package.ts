import { errorMessage, TollamaError } from '@tollama/core/errors';
import { installHint } from '@tollama/core/missing-package';

/**
 * Loads a package that is needed for one format only.
 *
 * @throws TollamaError DEPENDENCY_MISSING that says how to get it
 */
export const loadOptional = async <T>(
  name: string,
  what: string,
  load: () => Promise<T>,
): Promise<T> => {
  try {
    return await load();
  } catch (cause) {
    throw new TollamaError(
      'DEPENDENCY_MISSING',
      `${what} needs the package ${name}: ${errorMessage(cause)}`,
      { hint: installHint(name), cause },
    );
  }
};
