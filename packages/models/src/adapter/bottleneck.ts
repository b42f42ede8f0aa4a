/**
 * Bottleneck adapters (Houlsby et al. 2019) behind linear layers: y + U relu(D y). PEFT has no such kind; their files
 * are like PEFT's, with peft_type BOTTLENECK and tensors <module>.bottleneck_down.weight and bottleneck_up.weight.
 */
import { TollamaError } from '@tollama/core/errors';
import {
  add,
  affine,
  type Checkpoint,
  fromCheckpoint,
  type Graph,
  type Node,
  relu,
  rewriteGraph,
  type Tensor,
  withInputs,
} from '@tollama/graph';

const PREFIX = 'base_model.model.';
const DOWN = '.bottleneck_down.weight';
const UP = '.bottleneck_up.weight';

interface Bottleneck {
  readonly down: string;
  readonly up: string;
}

const refuse = (message: string): never => {
  throw new TollamaError('CHECKPOINT_INVALID', message, {
    hint: 'is the adapter made for this model?',
  });
};

/** The adapters by the names of the weights that they stand behind. */
const bottlenecksOf = (file: Checkpoint, base: Checkpoint): ReadonlyMap<string, Bottleneck> => {
  const found = new Map<string, Bottleneck>();
  for (const name of file.tensors.keys()) {
    const end = [DOWN, UP].find((suffix) => name.endsWith(suffix));
    if (end === undefined)
      return refuse(`the adapter's tensor '${name}' is no part of a bottleneck`);
    const stem = name.slice(0, -end.length);
    const weight = `${stem.startsWith(PREFIX) ? stem.slice(PREFIX.length) : stem}.weight`;
    if (!base.tensors.has(weight)) {
      refuse(`the adapter's tensor '${name}' belongs to no tensor of the base model`);
    }
    const missing = [`${stem}${DOWN}`, `${stem}${UP}`].find((part) => !file.tensors.has(part));
    if (missing !== undefined) refuse(`the adapter has no tensor '${missing}'`);
    found.set(weight, { down: `${stem}${DOWN}`, up: `${stem}${UP}` });
  }
  return found;
};

/** The name of a parameter, as it is or in float32. */
const parameterName = (node: Node | undefined): string | undefined => {
  if (node?.kind === 'cast') return parameterName(node.inputs[0]);
  return node?.kind === 'parameter' ? node.name : undefined;
};

/**
 * A rewrite that puts the adapters of a file into a graph of the base.
 *
 * @param width of the bottlenecks, as adapter_config.json has it (r)
 * @throws TollamaError CHECKPOINT_INVALID when a tensor is missing or fits no linear layer
 */
export const bottleneckRewrite = (
  file: Checkpoint,
  base: Checkpoint,
  width: number,
): ((graph: Graph) => Graph) => {
  const bottlenecks = bottlenecksOf(file, base);
  const weights = fromCheckpoint(file.tensors);
  const behind = (y: Tensor, { down, up }: Bottleneck, out: number): Tensor => {
    const narrow = relu(affine(y, weights.get(down, [width, out])));
    return add(y, affine(narrow, weights.get(up, [out, width])));
  };
  const rule = (node: Node, inputs: readonly Tensor[]): Tensor => {
    const made = withInputs(node, inputs);
    if (node.kind !== 'linear') return made;
    const name = parameterName(node.inputs[1]);
    const own = name === undefined ? undefined : bottlenecks.get(name);
    return own ? behind(made, own, Number(node.inputs[1].shape[0])) : made;
  };
  return (graph) => rewriteGraph(graph, rule);
};
