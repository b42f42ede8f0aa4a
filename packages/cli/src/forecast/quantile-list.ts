/** Quantile levels as they are typed: 0.1,0.5,0.9. */
import { InvalidArgumentError } from 'commander';

export const DEFAULT_QUANTILES: readonly number[] = [0.1, 0.5, 0.9];

/** Throws InvalidArgumentError for levels that do not ascend between 0 and 1. */
export const parseQuantiles = (text: string): number[] => {
  const levels = text.split(/[\s,]+/).map(Number);
  const isValid = levels.every(
    (level, i) => level > 0 && level < 1 && (i === 0 || level > levels[i - 1]!),
  );
  if (isValid) return levels;
  throw new InvalidArgumentError('use ascending levels between 0 and 1, such as 0.1,0.5,0.9.');
};
