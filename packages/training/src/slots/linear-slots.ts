/** Where something can be planted: the linear layers of a graph, by the names of their weights. */
import { type Graph, isFloat, type Node, type ParameterNode } from '@tollama/graph';

export interface LinearSlot {
  /** The name of the weight without `.weight`. */
  readonly module: string;
  /** Of the weight: [out, in] */
  readonly shape: readonly [number, number];
  /**
   * Whether the weight is used by linear layers only, so that a seed runs beside them. Else (a weight that is
   * joined or cut first) a low-rank change is added to the weight itself.
   */
  readonly isDirect: boolean;
}

const WEIGHT = '.weight';

/** The parameter that a tensor is, as it is or in float32. */
export const parameterOf = (node: Node | undefined): ParameterNode | undefined => {
  if (node?.kind === 'cast') return parameterOf(node.inputs[0]);
  return node?.kind === 'parameter' ? node : undefined;
};

export const moduleOf = (parameter: ParameterNode): string =>
  parameter.name.endsWith(WEIGHT) ? parameter.name.slice(0, -WEIGHT.length) : parameter.name;

/** PEFT knows the weights of modules, not matrices of other names. */
const isWeight = ({ name, shape, dtype }: ParameterNode): boolean =>
  name.endsWith(WEIGHT) && shape.length === 2 && isFloat(dtype);

/** All slots of a graph, in the order of their first use. Embeddings, which are looked up, are none. */
export const linearSlots = (graph: Graph): readonly LinearSlot[] => {
  const found = new Map<string, { shape: readonly [number, number]; isDirect: boolean }>();
  const lookedUp = new Set<string>();
  for (const node of graph.nodes) {
    node.inputs.forEach((x, i) => {
      const parameter = node.kind === 'cast' ? undefined : parameterOf(x);
      if (!parameter || !isWeight(parameter)) return;
      const module = moduleOf(parameter);
      if (node.kind === 'take' && i === 0) lookedUp.add(module);
      const isDirect = node.kind === 'linear' && i === 1;
      const known = found.get(module);
      const shape = parameter.shape as readonly [number, number];
      found.set(module, { shape, isDirect: isDirect && (known?.isDirect ?? true) });
    });
  }
  return [...found]
    .filter(([module]) => !lookedUp.has(module))
    .map(([module, slot]) => ({ module, ...slot }));
};
