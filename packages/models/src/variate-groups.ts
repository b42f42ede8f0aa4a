/** Groups of variates: those of one group look at each other, others do not. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';

const ids = z.array(z.int().min(0));

/** One list for all series of a request, or a list for each. */
export const VariateGroups = z.union([ids, z.array(ids)]);
export type VariateGroups = z.infer<typeof VariateGroups>;

export interface GroupedSeries {
  readonly id: string;
  /** Place in the request. */
  readonly index: number;
  readonly targets: number;
  /** Targets and covariates. */
  readonly variates: number;
}

/**
 * A group id for each variate; 0 for all when none are given, and for covariates that are not named.
 *
 * @throws TollamaError INVALID_REQUEST for a list of another length
 */
export const groupsOf = (
  groups: VariateGroups | undefined,
  option: string,
  { id, index, targets, variates }: GroupedSeries,
): readonly number[] => {
  if (groups === undefined) return new Array<number>(variates).fill(0);
  const own = groups.some(Array.isArray) ? groups[index] : groups;
  if (!Array.isArray(own) || (own.length !== targets && own.length !== variates)) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `options.${option} = ${JSON.stringify(groups)} does not name a group for each of the ${targets} variates of series '${id}'`,
    );
  }
  return Array.from({ length: variates }, (_, i) => (own as number[])[i] ?? 0);
};
