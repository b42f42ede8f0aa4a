/** Symbolic sizes given numbers, and numbers read off values that were fed. */
import { addDims, asLinear, type Dim, multiplyDims, symbol } from '../dimension.ts';
import type { Graph } from '../graph.ts';
import type { Feeds } from '../session/feeds.ts';

/** A dimension with the symbols that have a number replaced by it. */
export const pinDim = (dim: Dim, sizes: ReadonlyMap<string, number>): Dim => {
  if (typeof dim === 'number') return dim;
  const terms = dim.terms.map(({ coefficient, symbols }) =>
    multiplyDims(coefficient, ...symbols.map((name) => sizes.get(name) ?? symbol(name))),
  );
  return addDims(...terms);
};

/** What each symbol of a graph's inputs was in values that were fed to it. */
export const sizesOfFeeds = (graph: Graph, feeds: Feeds): ReadonlyMap<string, number> => {
  const sizes = new Map<string, number>();
  for (const { name, shape } of graph.inputs) {
    const dims = feeds[name]?.dims ?? [];
    shape.forEach((size, axis) => {
      const dim = asLinear(size);
      const found = dims[axis];
      if (!dim || found === undefined || sizes.has(dim.name)) return;
      sizes.set(dim.name, (found - dim.offset) / dim.coefficient);
    });
  }
  return sizes;
};
