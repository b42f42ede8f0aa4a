/** Reverse accumulation (Linnainmaa 1970): gradients of a value as further nodes of the same graph. */
import { TollamaError } from '@tollama/core/errors';
import { shapeText } from '../dimension.ts';
import { isFloat } from '../dtype.ts';
import { topologicalOrder } from '../graph.ts';
import { type Node, type ScanNode, type Tensor, visit } from '../node.ts';
import { add, constant, sameShape } from '../ops.ts';
import type { PullBack } from './cotangent.ts';
import { type InputGradients, rules } from './rules.ts';

export type { Cotangent } from './cotangent.ts';

/** Nodes whose value follows one of the sources smoothly; a stop-gradient ends the path. */
const followers = (order: readonly Node[], sources: ReadonlySet<Node>): ReadonlySet<Node> => {
  const found = new Set<Node>();
  for (const node of order) {
    if (!isFloat(node.dtype)) continue;
    const isFollowing = node.kind !== 'stopGradient' && node.inputs.some((x) => found.has(x));
    if (isFollowing || sources.has(node)) found.add(node);
  }
  return found;
};

/** The results of each loop, by the first of them in the order. */
const loopsIn = (order: readonly Node[]): ReadonlyMap<Node, readonly ScanNode[]> => {
  const scans = order.filter((node): node is ScanNode => node.kind === 'scan');
  const byBody = Map.groupBy(scans, ({ body }) => body);
  return new Map([...byBody.values()].map((parts) => [parts[0]!, parts]));
};

const partGradients = (
  loop: readonly ScanNode[] | undefined,
  sums: ReadonlyMap<Node, Tensor>,
): ReadonlyMap<number, Tensor> =>
  new Map(
    (loop ?? []).flatMap((node) => {
      const g = sums.get(node);
      return g ? [[node.part, g] as const] : [];
    }),
  );

/**
 * Gradients of `wrt` where those of some outputs are given; undefined where no path leads from an output
 * to a tensor. The new nodes use the values of the forward pass, and an inner tensor may be asked for.
 *
 * @throws TollamaError GRAPH_INVALID, naming the kind, for a path through a node without a derivative
 */
export const pullBack: PullBack = (cotangents, wrt) => {
  const order = topologicalOrder(cotangents.map(({ output }) => output));
  const sources = new Set(wrt);
  const following = followers(order, sources);
  const sums = new Map<Node, Tensor>();
  const accumulate = (node: Node, gradient: Tensor): void => {
    const known = sums.get(node);
    sums.set(node, known ? add(known, gradient) : gradient);
  };
  for (const { output, gradient } of cotangents) {
    if (!sameShape(output, gradient)) {
      const shapes = `${shapeText(gradient.shape)} for a value ${shapeText(output.shape)}`;
      throw new TollamaError('GRAPH_INVALID', `gradient: ${shapes}`);
    }
    accumulate(output, gradient);
  }
  const isNeeded = (x: Node): boolean => following.has(x);
  const loops = loopsIn(order);
  for (const node of order.toReversed()) {
    const loop = loops.get(node);
    const parts = partGradients(loop, sums);
    const g = sums.get(node) ?? parts.values().next().value;
    // The results of a loop share one gradient, taken when all of them have theirs.
    if (!g || (node.kind === 'scan' && loop === undefined)) continue;
    if (!(loop ?? [node]).some(isNeeded) || !node.inputs.some(isNeeded)) continue;
    const pulled: InputGradients = visit(rules, node, { g, parts, isNeeded, pullBack });
    node.inputs.forEach((x, i) => {
      const gradient = following.has(x) ? pulled[i] : undefined;
      if (gradient) accumulate(x, typeof gradient === 'function' ? gradient() : gradient);
    });
  }
  return wrt.map((x) => (following.has(x) ? sums.get(x) : undefined));
};

/**
 * The gradient of a scalar with regard to tensors of its graph, each in the tensor's shape; undefined where
 * no path leads to it (behind a stop-gradient, say), which is not the same as zeros.
 *
 * @example
 * const w = parameter('w', [3], 'float32');
 * const loss = sum(mul(w, w), 0);
 * const [dw] = gradient(loss, [w]); // 2 w
 */
export const gradient = (loss: Tensor, wrt: readonly Tensor[]): readonly (Tensor | undefined)[] => {
  if (loss.shape.length > 0 || !isFloat(loss.dtype)) {
    const type = `${loss.dtype}${shapeText(loss.shape)}`;
    throw new TollamaError('GRAPH_INVALID', `gradient: the loss is ${type}, not a float scalar`);
  }
  return pullBack([{ output: loss, gradient: constant(1, loss.dtype) }], wrt);
};

/** Whether a gradient can flow from a value to a tensor: a fact of the graph, whatever the numbers are. */
export const reaches = (output: Tensor, source: Tensor): boolean =>
  followers(topologicalOrder([output]), new Set([source])).has(output);
