import { TollamaError } from '@tollama/core/errors';
import { isEmbeddedName } from '@tollama/core/statistical';

/** MODEL_NOT_FOUND; models that come with the program are told from those that are to be installed. */
export const modelMissing = (name: string, hint: string): TollamaError =>
  isEmbeddedName(name)
    ? new TollamaError('MODEL_NOT_FOUND', `model '${name}' comes with tollama and has no files`, {
        hint: `use it as it is: \`tollama run ${name} sales.csv\``,
      })
    : new TollamaError('MODEL_NOT_FOUND', `model '${name}' is not installed`, { hint });
