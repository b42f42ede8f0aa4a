import { TollamaError } from '@tollama/core/errors';
import type { InputNode, Node, ParameterNode, Tensor } from './node.ts';

/** A whole computation: named outputs, and every node that they need in an order that can be run. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly InputNode[];
  readonly outputs: ReadonlyMap<string, Tensor>;
  /** Topological: a node comes after its inputs. */
  readonly nodes: readonly Node[];
}

/** Nodes below the roots, each once, inputs first; iterative, so that depth has no limit. */
export const topologicalOrder = (roots: Iterable<Node>): readonly Node[] => {
  const order: Node[] = [];
  const done = new Set<Node>();
  const stack: { node: Node; next: number }[] = [];
  for (const root of roots) {
    if (!done.has(root)) stack.push({ node: root, next: 0 });
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const child = top.node.inputs[top.next++];
      if (child === undefined) {
        stack.pop();
        if (!done.has(top.node)) order.push(top.node);
        done.add(top.node);
      } else if (!done.has(child)) {
        stack.push({ node: child, next: 0 });
      }
    }
  }
  return order;
};

/**
 * Closes a graph over its outputs. All declared inputs become inputs of the graph, used or not.
 *
 * @example
 * const x = input('x', ['batch', 4]);
 * defineGraph('double', [x], { y: mul(x, 2) });
 */
export const defineGraph = (
  name: string,
  inputs: readonly Tensor[],
  outputs: Readonly<Record<string, Tensor>>,
): Graph => {
  const declared = inputs.map((node): InputNode => {
    if (node.kind === 'input') return node;
    throw new TollamaError('GRAPH_INVALID', `graph '${name}': ${node.kind} is no input`);
  });
  const nodes = topologicalOrder([...inputs, ...Object.values(outputs)]);
  for (const node of nodes) {
    if (node.kind === 'input' && !declared.includes(node)) {
      throw new TollamaError(
        'GRAPH_INVALID',
        `graph '${name}': input '${node.name}' is not declared`,
      );
    }
  }
  return { name, inputs: declared, outputs: new Map(Object.entries(outputs)), nodes };
};

/** Tensors of the checkpoint that the graph reads. */
export const parametersOf = (graph: Graph): readonly ParameterNode[] =>
  graph.nodes.filter((node) => node.kind === 'parameter');

/**
 * Replaces nodes from the leaves up: `rule` sees each node with its inputs already replaced and gives
 * the tensor to use in its place.
 *
 * @param further inputs that the new graph has beside those of the old one
 */
export const rewriteGraph = (
  graph: Graph,
  rule: (node: Node, inputs: readonly Tensor[]) => Tensor,
  further: readonly Tensor[] = [],
): Graph => {
  const replaced = new Map<Node, Tensor>();
  for (const node of graph.nodes) {
    replaced.set(
      node,
      rule(
        node,
        node.inputs.map((x) => replaced.get(x)!),
      ),
    );
  }
  const outputs: Record<string, Tensor> = {};
  for (const [name, node] of graph.outputs) outputs[name] = replaced.get(node)!;
  return defineGraph(
    graph.name,
    [...graph.inputs.map((node) => replaced.get(node)!), ...further],
    outputs,
  );
};
