/** Anything that was thrown, in words. */
import { TollamaError } from '@tollama/core/errors';

export interface Problem {
  readonly message: string;
  readonly hint: string | undefined;
}

export const problemOf = (thrown: unknown): Problem => {
  if (thrown instanceof TollamaError) return { message: thrown.message, hint: thrown.hint };
  return { message: thrown instanceof Error ? thrown.message : String(thrown), hint: undefined };
};
