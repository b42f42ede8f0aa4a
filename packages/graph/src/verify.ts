/** Is a graph legal? Run on every graph in tests, and at run time with TOLLAMA_DEBUG. */
import { TollamaError } from '@tollama/core/errors';
import { asLinear, shapeEquals, shapeText, symbolsOf } from './dimension.ts';
import type { Graph } from './graph.ts';
import type { Node, ShapeAndType } from './node.ts';
import { inferShape } from './shape.ts';

const typeText = ({ dtype, shape }: ShapeAndType): string => `${dtype}${shapeText(shape)}`;

const describe = (node: Node, at: number): string => `node %${at} (${node.kind})`;

/**
 * Checks that every node follows its inputs, that its stored shape and type are what inference gives,
 * that names are unique, and that every symbolic size can be read off an input.
 * Throws GRAPH_INVALID at the first violation.
 */
export const verifyGraph = (graph: Graph): Graph => verifyWithin(graph, new Set());

/** @param outer sizes that the graph around this one knows */
const verifyWithin = (graph: Graph, outer: ReadonlySet<string>): Graph => {
  const fail = (message: string): never => {
    throw new TollamaError('GRAPH_INVALID', `graph '${graph.name}': ${message}`);
  };
  const seen = new Set<Node>();
  const bodies = new Set<Graph>();
  const names = new Map<string, Node>();
  const sizes = graph.inputs.flatMap((node) => node.shape);
  const known = new Set([...outer, ...sizes.flatMap((dim) => asLinear(dim)?.name ?? [])]);
  graph.nodes.forEach((node, at) => {
    for (const x of node.inputs) {
      if (!seen.has(x)) fail(`${describe(node, at)} comes before its input`);
    }
    const { shape, dtype } = inferShape(node);
    if (dtype !== node.dtype || !shapeEquals(shape, node.shape)) {
      const [is, says] = [typeText(node), typeText({ dtype, shape })];
      fail(`${describe(node, at)} is ${is}, inference says ${says}`);
    }
    for (const name of node.shape.flatMap(symbolsOf)) {
      if (!known.has(name))
        fail(`${describe(node, at)} has the dimension '${name}', which no input tells`);
    }
    if (node.kind === 'input' || node.kind === 'parameter') {
      const other = names.get(node.name);
      if (other && other !== node && !isSameParameter(other, node))
        fail(`two tensors are called '${node.name}'`);
      names.set(node.name, node);
    }
    if (node.kind === 'scan' && !bodies.has(node.body)) {
      verifyWithin(node.body, known);
      bodies.add(node.body);
    }
    seen.add(node);
  });
  for (const [name, node] of graph.outputs) {
    if (!seen.has(node)) fail(`output '${name}' is not among the nodes`);
  }
  return graph;
};

const isSameParameter = (a: Node, b: Node): boolean =>
  a.kind === 'parameter' &&
  b.kind === 'parameter' &&
  a.dtype === b.dtype &&
  shapeEquals(a.shape, b.shape);
