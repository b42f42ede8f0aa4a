/** Shape inference of loops. */
import {
  addDims,
  type Dim,
  dimEquals,
  dimText,
  shapeEquals,
  shapeText,
  symbol,
} from './dimension.ts';
import { misfit } from './misfit.ts';
import type { Node, ScanNode, Shape, ShapeAndType } from './node.ts';

/** The number of steps of a loop over these sequences. */
const stepsOf = (sequences: readonly Node[]): Dim => {
  const [steps, ...others] = sequences.map((x) => x.shape[0] ?? misfit('scan: a scalar sequence'));
  if (steps === undefined) return misfit('scan: no sequence tells the number of steps');
  for (const other of others) {
    if (!dimEquals(other, steps)) {
      misfit(`scan: sequences of ${dimText(steps)} and ${dimText(other)} steps`);
    }
  }
  return steps;
};

/** Shape and type of one result of a loop. Throws GRAPH_INVALID where states, elements and outer values do not fit. */
export const scanShape = (node: ScanNode): ShapeAndType => {
  const results = [...node.body.outputs.values()];
  node.inputs.forEach((x, i) => {
    const isElement = i >= node.states && i < node.states + node.sequences;
    const inner = node.body.inputs[i]!;
    const axis = i < node.states ? node.growth?.axes[i] : undefined;
    const before = node.growth && symbol(node.growth.steps);
    const grown = (shape: Shape, by: Dim): Shape =>
      axis === undefined ? shape : shape.with(axis, addDims(shape[axis]!, by));
    const outer = isElement ? x.shape.slice(1) : grown(x.shape, before ?? 0);
    if (!shapeEquals(inner.shape, outer) || inner.dtype !== x.dtype) {
      misfit(`scan: ${inner.name} is ${shapeText(inner.shape)}, got ${shapeText(outer)}`);
    }
    const next = i < node.states ? results[i]! : inner;
    const wanted = i < node.states ? grown(inner.shape, 1) : inner.shape;
    if (!shapeEquals(next.shape, wanted) || next.dtype !== inner.dtype) {
      misfit(`scan: ${inner.name} ${shapeText(inner.shape)} becomes ${shapeText(next.shape)}`);
    }
  });
  const { shape, dtype } = results[node.part]!;
  const steps = stepsOf(node.inputs.slice(node.states, node.states + node.sequences));
  if (node.part >= node.states) return { shape: [steps, ...shape], dtype };
  const axis = node.growth?.axes[node.part];
  const first = node.inputs[node.part]!.shape;
  if (axis === undefined) return { shape, dtype };
  return { shape: first.with(axis, addDims(first[axis]!, steps)), dtype };
};
