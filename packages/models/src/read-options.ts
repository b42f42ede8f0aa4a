import { TollamaError } from '@tollama/core/errors';
import type { z } from 'zod';
import { firstIssue } from './config-issue.ts';
import type { Task } from './family.ts';

/**
 * The options of a family out of those of a request; options that are not the family's pass unread.
 *
 * @throws TollamaError INVALID_REQUEST with the option's name and value
 * @example
 * const { num_samples } = readOptions(Options, task, 'sundial');
 */
export const readOptions = <Options>(
  schema: z.ZodType<Options>,
  { options }: Pick<Task, 'options'>,
  family: string,
): Options => {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const issue = firstIssue(parsed.error, options, family);
  throw new TollamaError('INVALID_REQUEST', `options.${issue}`, {
    hint: `docs/models/${family}.md lists the options of ${family}`,
  });
};
