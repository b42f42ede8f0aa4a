/** Which series are sums of which. */
import { TollamaError } from '@tollama/core/errors';

/** Parent -> children. */
export type HierarchySpec = Readonly<Record<string, readonly string[]>>;

export interface Hierarchy {
  /** All series: parents first, then the leaves. */
  readonly ids: readonly string[];
  readonly leaves: readonly string[];
  /** [ids][leaves]: 1 where a leaf is part of the series. */
  readonly summing: readonly Float64Array[];
}

/**
 * @throws TollamaError INVALID_REQUEST for a loop, a series with two parents, or one without children
 */
export const openHierarchy = (spec: HierarchySpec): Hierarchy => {
  const parents = Object.keys(spec);
  if (parents.length === 0) {
    throw new TollamaError('INVALID_REQUEST', 'the hierarchy has no parent', {
      hint: 'write parent: [children], or leave the hierarchy out',
    });
  }
  const odd = parents.find((parent) => !Array.isArray(spec[parent]));
  if (odd !== undefined) {
    throw new TollamaError('INVALID_REQUEST', `the children of '${odd}' are no list`);
  }
  const children = parents.flatMap((parent) => [...spec[parent]!]);
  const twice = children.find((child, i) => children.indexOf(child) !== i);
  if (twice !== undefined) {
    throw new TollamaError('INVALID_REQUEST', `'${twice}' has two parents in the hierarchy`);
  }
  const leaves = children.filter((child) => !Object.hasOwn(spec, child));
  const at = new Map(leaves.map((leaf, i) => [leaf, i]));
  const below = (id: string, above: readonly string[]): string[] => {
    if (above.includes(id)) {
      throw new TollamaError('INVALID_REQUEST', `the hierarchy has a loop at '${id}'`);
    }
    const own = Object.hasOwn(spec, id) ? spec[id]! : undefined;
    if (own?.length === 0) {
      throw new TollamaError('INVALID_REQUEST', `'${id}' has no children in the hierarchy`);
    }
    return own ? own.flatMap((child) => below(child, [...above, id])) : [id];
  };
  const ids = [...parents, ...leaves];
  const summing = ids.map((id) => {
    const row = new Float64Array(leaves.length);
    for (const leaf of below(id, [])) row[at.get(leaf)!] = 1;
    return row;
  });
  return { ids, leaves, summing };
};
