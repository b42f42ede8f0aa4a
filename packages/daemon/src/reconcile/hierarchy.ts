/** Series that add up: parents are the sums of the leaves below them. */
import { TollamaError } from '@tollama/core/errors';
import type { Hierarchy } from '@tollama/core/series-requests';

export interface Structure {
  /** All series, parents before their children. */
  readonly ids: readonly string[];
  readonly leaves: readonly string[];
  readonly roots: readonly string[];
  /** Places in `leaves` of the leaves below each series of `ids`; a leaf's own. */
  readonly below: readonly (readonly number[])[];
}

const MOST_SERIES = 1000;

const refuse = (problem: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', `hierarchy: ${problem}`, { hint });
};

/** Children before parents in the order in which they are finished; throws on a circle. */
const depthFirst = (tree: Hierarchy['tree'], roots: readonly string[]): string[] => {
  const done = new Set<string>();
  const open = new Set<string>();
  const order: string[] = [];
  const visit = (id: string): void => {
    if (done.has(id)) return;
    if (open.has(id)) refuse(`'${id}' is below itself`, 'take the circle out of the tree');
    open.add(id);
    for (const child of childrenOf(tree, id)) visit(child);
    open.delete(id);
    done.add(id);
    order.push(id);
  };
  for (const root of roots) visit(root);
  return order;
};

const childrenOf = (tree: Hierarchy['tree'], id: string): readonly string[] =>
  Object.hasOwn(tree, id) ? tree[id]! : [];

/** Level by level from the roots. */
const breadthFirst = (tree: Hierarchy['tree'], roots: readonly string[]): string[] => {
  const ids = [...roots];
  const known = new Set(ids);
  for (let i = 0; i < ids.length; i++) {
    for (const child of childrenOf(tree, ids[i]!)) {
      if (known.has(child)) continue;
      known.add(child);
      ids.push(child);
    }
  }
  return ids;
};

/** @throws TollamaError INVALID_REQUEST for an empty tree, a circle, or a child that stands twice */
export const structureOf = ({ tree }: Hierarchy): Structure => {
  const parents = Object.keys(tree);
  if (parents.length === 0) refuse('the tree is empty', 'give {"tree": {"total": ["a", "b"]}}');
  for (const parent of parents) {
    const children = tree[parent]!;
    const twice = children.find((child, i) => children.indexOf(child) !== i);
    if (twice !== undefined) refuse(`'${twice}' stands twice below '${parent}'`, 'name it once');
  }
  const children = new Set(Object.values(tree).flat());
  const roots = parents.filter((id) => !children.has(id));
  if (roots.length === 0)
    refuse(`'${parents[0]}' is below itself`, 'take the circle out of the tree');
  const finished = depthFirst(tree, roots);
  if (parents.some((id) => !finished.includes(id))) {
    refuse('some series are only below themselves', 'take the circle out of the tree');
  }
  const ids = breadthFirst(tree, roots);
  if (ids.length > MOST_SERIES) {
    refuse(`${ids.length} series are more than ${MOST_SERIES}`, 'reconcile parts of the tree');
  }
  const leaves = ids.filter((id) => !Object.hasOwn(tree, id));
  const place = new Map(leaves.map((id, i) => [id, i]));
  const sets = new Map<string, ReadonlySet<number>>();
  for (const id of finished) {
    const own = place.get(id);
    sets.set(
      id,
      own === undefined
        ? new Set(childrenOf(tree, id).flatMap((child) => [...sets.get(child)!]))
        : new Set([own]),
    );
  }
  const below = ids.map((id) => [...sets.get(id)!].toSorted((a, b) => a - b));
  return { ids, leaves, roots, below };
};
