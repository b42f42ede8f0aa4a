import type { z } from 'zod';

/**
 * The first thing that is wrong with a value, by its place and what stands there.
 *
 * @param subject whose value it is, such as a family's name
 * @example
 * firstIssue(error, { num_samples: 0 }, 'sundial'); // 'num_samples = 0 is not valid for sundial: Too small: ...'
 */
export const firstIssue = (
  { issues: [issue] }: z.ZodError,
  value: unknown,
  subject: string,
): string => {
  const { path, message } = issue!;
  const found = path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | null | undefined)?.[key],
    value,
  );
  return `${path.join('.')} = ${JSON.stringify(found) ?? 'nothing'} is not valid for ${subject}: ${message}`;
};
