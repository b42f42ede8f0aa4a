/** Layers that are one operator when they run, written in operators that have a derivative of their own. */
import { addDims, type Dim, divideDims, multiplyDims } from '../dimension.ts';
import { type Graph, rewriteGraph } from '../graph.ts';
import type { AttentionNode, Conv1dNode, Node, Tensor } from '../node.ts';
import {
  add,
  concat,
  dimOf,
  matmul,
  mul,
  pad,
  reshape,
  slice,
  softmax,
  widthOf,
  withInputs,
} from '../ops.ts';
import { rearrange } from '../rearrange.ts';
import { rewriteLoops } from '../scan.ts';

const splitHeads = (x: Tensor, heads: number): Tensor =>
  x.shape.length === 4 ? x : rearrange(x, 'b s (h k) -> b h s k', { h: heads });

/** Scores, softmax and mixture as they stand in the paper (Vaswani et al. 2017). */
const composeAttention = (node: AttentionNode): Tensor => {
  const [query, key, value, bias] = node.inputs;
  const [q, k, v] = [query, key, value].map((x) => splitHeads(x, node.heads)) as [
    Tensor,
    Tensor,
    Tensor,
  ];
  const scaled = node.scale === 1 ? q : mul(q, node.scale);
  const scores = matmul(scaled, k, { transposeB: true });
  const weights = softmax(bias ? add(scores, bias) : scores);
  return rearrange(matmul(weights, v), 'b h s v -> b s (h v)');
};

/** A product of the weight with what each of its taps sees. */
const composeConv1d = (node: Conv1dNode): Tensor => {
  const [x, weight, bias] = node.inputs;
  const { stride, dilation, groups, padding } = node;
  const [batch, channels] = x.shape as [Dim, Dim, Dim];
  const steps = dimOf(node, 2);
  const padded = padding.some((count) => count > 0) ? pad(x, 2, padding[0], padding[1]) : x;
  const perGroup = divideDims(channels, groups) as Dim;
  const seen = Array.from({ length: widthOf(weight, 2) }, (_, tap) => {
    const start = tap * dilation;
    const end = addDims(multiplyDims(addDims(steps, -1), stride), start + 1);
    const part = slice(padded, 2, { start, end, step: stride });
    return reshape(part, [batch, groups, perGroup, 1, steps]);
  });
  const taps = concat(seen, 3);
  const width = multiplyDims(perGroup, seen.length);
  const columns = reshape(taps, [batch, groups, width, steps]);
  const out = dimOf(weight, 0);
  const rows = reshape(weight, [groups, divideDims(out, groups) as Dim, width]);
  const product = reshape(matmul(rows, columns), [batch, out, steps]);
  return bias ? add(product, reshape(bias, [out, 1])) : product;
};

/** A kernel whose size only a run knows is no weight: no gradient is asked for there. */
const hasTaps = ({ inputs: [, weight] }: Conv1dNode): boolean =>
  typeof weight.shape[2] === 'number';

/** A kind that is composed, in operators that have a rule; any other node as it is. */
export const composed = (node: Node): Tensor => {
  if (node.kind === 'attention') return composeAttention(node);
  return node.kind === 'conv1d' && hasTaps(node) ? composeConv1d(node) : node;
};

/**
 * The graph with its composed layers taken apart, so that forward and backward pass share what is inside of
 * them: attention weights are computed once.
 */
export const exposeLayers = (graph: Graph): Graph => {
  const rule = (node: Node, inputs: readonly Tensor[]): Tensor =>
    node.kind === 'scan' ? loop(node, inputs) : composed(withInputs(node, inputs));
  const loop = rewriteLoops(rule);
  return rewriteGraph(graph, rule);
};
