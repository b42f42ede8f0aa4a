/** Forecasts that do not add up, moved as little as possible until they do. */
import { TollamaError } from '@tollama/core/errors';
import { mean } from '../analysis/observed.ts';
import { cholesky, type Matrix, solveWith } from './cholesky.ts';
import type { Structure } from './hierarchy.ts';

/** [series][steps] in the order of the structure's ids. */
export type Paths = readonly (readonly number[])[];

/** All series as sums of the leaves. */
export const sumUp = ({ below }: Structure, leaves: Paths): number[][] =>
  below.map((own) =>
    leaves[0]!.map((_, step) => own.reduce((sum, leaf) => sum + leaves[leaf]![step]!, 0)),
  );

const leafPaths = ({ ids, leaves }: Structure, base: Paths): Paths =>
  leaves.map((id) => base[ids.indexOf(id)]!);

export const bottomUp = (structure: Structure, base: Paths): number[][] =>
  sumUp(structure, leafPaths(structure, base));

const refuse = (problem: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', problem, { hint });
};

/** Each leaf's share of its root, adding up to 1 below each root. */
export const leafShares = (
  { leaves, roots, ids, below }: Structure,
  weights: readonly number[],
): number[] => {
  const shares = leaves.map(() => Number.NaN);
  for (const root of roots) {
    const own = below[ids.indexOf(root)]!;
    const total = own.reduce((sum, leaf) => sum + weights[leaf]!, 0);
    for (const leaf of own) {
      if (!Number.isNaN(shares[leaf]!)) {
        refuse(
          `top_down: leaf '${leaves[leaf]}' is below two roots`,
          'use bottom_up, ols or mint_shrink',
        );
      }
      shares[leaf] = total > 0 ? weights[leaf]! / total : 1 / own.length;
    }
  }
  return shares;
};

/** The roots' forecasts, shared out to the leaves. `given`: shares by leaf. */
export const topDown = (
  structure: Structure,
  base: Paths,
  given?: Readonly<Record<string, number>> | null,
): number[][] => {
  const { leaves, roots, ids, below } = structure;
  const weights = given
    ? leaves.map((id) =>
        Object.hasOwn(given, id)
          ? given[id]!
          : refuse(`proportions has no share for '${id}'`, 'give one for each leaf'),
      )
    : leafPaths(structure, base).map((path) => Math.max(0, mean(path)));
  const shares = leafShares(structure, weights);
  const paths: number[][] = leaves.map(() => []);
  for (const root of roots) {
    const at = ids.indexOf(root);
    for (const leaf of below[at]!) paths[leaf] = base[at]!.map((value) => value * shares[leaf]!);
  }
  return sumUp(structure, paths);
};

/**
 * Generalised least squares: leaves b that minimise (y - S b)' W^-1 (y - S b), and their sums. W is the identity
 * for ols, the number of leaves for wls_struct, the covariance of the errors for MinT.
 */
export const project = (structure: Structure, base: Paths, covariance: Matrix): number[][] => {
  const { below, leaves } = structure;
  const factor =
    cholesky(covariance) ??
    refuse('the covariance of the errors is singular', 'give more residuals, or use wls_struct');
  // Columns of W^-1 S, one for each leaf.
  const weighted = leaves.map((_, leaf) =>
    solveWith(
      factor,
      below.map((own) => Number(own.includes(leaf))),
    ),
  );
  const gather = (column: ArrayLike<number>): Float64Array => {
    const sums = new Float64Array(leaves.length);
    below.forEach((own, row) => {
      for (const leaf of own) sums[leaf]! += column[row]!;
    });
    return sums;
  };
  const normal = cholesky(weighted.map(gather)) ?? refuse('the hierarchy is singular', 'check it');
  const steps = base[0]!.map((_, step) => {
    const right = weighted.map((column) =>
      column.reduce((sum, weight, row) => sum + weight * base[row]![step]!, 0),
    );
    return solveWith(normal, right);
  });
  return sumUp(
    structure,
    leaves.map((_, leaf) => steps.map((solution) => solution[leaf]!)),
  );
};

/** A covariance without correlations. */
export const diagonal = (variances: readonly number[]): Matrix =>
  variances.map((variance, i) => {
    const row = new Float64Array(variances.length);
    row[i] = variance;
    return row;
  });
