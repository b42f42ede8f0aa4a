/** A graph as text, a line a node: for snapshots, for `verify`'s messages and for curious readers. */
import { dimText, shapeText } from './dimension.ts';
import { DTYPES } from './dtype.ts';
import type { Graph } from './graph.ts';
import { type Node, type Visitor, visit } from './node.ts';

const preview = (data: ArrayLike<number | bigint>): string => {
  const shown = Array.from({ length: Math.min(data.length, 6) }, (_, i) => String(data[i]));
  return data.length > 6 ? `${shown.join(' ')} ... ${data.length} values` : shown.join(' ');
};

/** What stands in the brackets after the operands; empty for kinds without attributes. */
const attributes: Visitor<string> = {
  input: (node) => node.name,
  parameter: (node) => node.name,
  constant: (node) => preview(node.data),
  iota: () => '',
  size: (node) => dimText(node.size),
  unary: () => '',
  binary: () => '',
  where: () => '',
  cast: () => '',
  reduce: (node) => `axes=${node.axes}${node.keepAxes ? ' keep' : ''}`,
  reshape: () => '',
  transpose: (node) => `permutation=${node.permutation}`,
  broadcast: () => '',
  concat: (node) => `axis=${node.axis}`,
  slice: (node) =>
    `axis=${node.axis} ${dimText(node.start)}:${dimText(node.end)}${node.step === 1 ? '' : `:${node.step}`}`,
  take: (node) => `axis=${node.axis}`,
  takeAlong: (node) => `axis=${node.axis}`,
  pad: (node) => `axis=${node.axis} ${dimText(node.before)} and ${dimText(node.after)}`,
  scatterAdd: (node) => `axis=${node.axis} size=${dimText(node.size)}`,
  cumulativeSum: (node) => `axis=${node.axis}${node.isReverse ? ' reverse' : ''}`,
  top: (node) =>
    `axis=${node.axis} count=${dimText(node.count)} ${node.largest ? 'largest' : 'smallest'} ${node.part}`,
  conv1d: (node) =>
    `stride=${node.stride} dilation=${node.dilation} groups=${node.groups} padding=${node.padding}`,
  matmul: (node) => (node.transposeB ? 'transposeB' : ''),
  linear: () => '',
  quantizedLinear: () => '',
  softmax: (node) => `axis=${node.axis}`,
  rmsNorm: (node) => `epsilon=${node.epsilon}`,
  layerNorm: (node) => `epsilon=${node.epsilon}`,
  attention: (node) => `heads=${node.heads} scale=${node.scale}`,
  rotary: (node) => `heads=${node.heads} ${node.pairs}`,
  scan: (node) =>
    `states=${node.states} sequences=${node.sequences} part=${node.part} body=${node.body.nodes.length} nodes`,
  stopGradient: () => '',
};

const wordOf = (node: Node): string =>
  node.kind === 'unary' || node.kind === 'binary' || node.kind === 'reduce' ? node.op : node.kind;

/**
 * @example
 * %2 = linear(%0, %1) : f32[batch, 64]
 */
export const printGraph = (graph: Graph): string => {
  const number = new Map(graph.nodes.map((node, i) => [node, `%${i}`]));
  const lines = graph.nodes.map((node) => {
    const operands = node.inputs.map((x) => number.get(x)).join(', ');
    const extra = visit(attributes, node, undefined);
    const call = node.inputs.length > 0 ? `${wordOf(node)}(${operands})` : wordOf(node);
    const type = `${DTYPES[node.dtype].short}${shapeText(node.shape)}`;
    return `${number.get(node)} = ${call}${extra && ` {${extra}}`} : ${type}`;
  });
  const outputs = [...graph.outputs].map(([name, node]) => `${name}=${number.get(node)}`);
  return `graph ${graph.name}\n${lines.join('\n')}\nreturn ${outputs.join(', ')}\n`;
};
