import type { Graph } from '../graph.ts';
import { visit } from '../node.ts';
import { Emitter } from './emitter.ts';
import { type LoweringContext, lower, OPSETS } from './lower.ts';
import { type ExternalData, encodeModel, type OnnxModel } from './messages.ts';

/**
 * A graph as an ONNX model whose weights stay where they are.
 *
 * @param locate where each tensor of the checkpoint lies, relative to the model file
 */
export const toOnnx = (graph: Graph, locate: (name: string) => ExternalData): OnnxModel => {
  const emitter = new Emitter(graph.inputs, graph.outputs.keys());
  const context: LoweringContext = { emitter, locate };
  for (const node of graph.nodes) emitter.setName(node, visit(lower, node, context));
  const outputs = [...graph.outputs].map(([name, node]) => {
    // Identity gives the value its public name, also where two outputs share a node.
    const { nodes } = emitter;
    nodes.push({
      opType: 'Identity',
      domain: '',
      inputs: [emitter.nameOf(node)],
      outputs: [name],
      attributes: {},
    });
    return { name, dtype: node.dtype, shape: node.shape };
  });
  return {
    name: graph.name,
    opsets: OPSETS,
    nodes: emitter.nodes,
    initializers: emitter.initializers,
    inputs: graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
    outputs,
  };
};

/** The bytes of the model file: a few kB, whatever the size of the checkpoint. */
export const encodeOnnx = (graph: Graph, locate: (name: string) => ExternalData): Uint8Array =>
  encodeModel(toOnnx(graph, locate));
