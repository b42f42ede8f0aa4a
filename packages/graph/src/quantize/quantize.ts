/**
 * The int8 form of a graph: linear layers get weights that were quantised when the graph is made and lie
 * in a file beside it, and quantise their activations per run. One rewrite serves every family.
 */
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { type Graph, rewriteGraph } from '../graph.ts';
import type { Node, ParameterNode, Tensor } from '../node.ts';
import type { ExternalData } from '../onnx/messages.ts';
import { add, affine, mul, parameter, quantizedAffine, withInputs } from '../ops.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';
import { readTensor } from '../safetensors/read-tensor.ts';
import { rewriteLoops } from '../scan.ts';
import { quantizeRows } from './rows.ts';

/** Below this many weights a layer gains nothing from integers and may lose accuracy. */
const MIN_WEIGHTS = 64 * 64;
const SIDECAR = 'int8.bin';
const ALIGNMENT = 64;

export interface QuantizedGraph {
  readonly graph: Graph;
  /** Where a quantised tensor lies; undefined for those of the checkpoint. */
  readonly locate: (name: string) => ExternalData | undefined;
  /** Quantises the weights into a file of the folder. */
  readonly write: (folder: string) => Promise<void>;
}

interface Layer {
  readonly weight: ParameterNode;
  readonly out: number;
  readonly width: number;
  /** What an adapter adds to the weight. */
  readonly update: LowRank | undefined;
}

/** (b . a) * factor, with a [r, in] and b [out, r]. */
interface LowRank {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly factor: Tensor;
}

/** A layer's weight in integers, shared by all layers that it is tied to. */
interface QuantizedLayer extends Layer {
  readonly data: Tensor;
  readonly scale: Tensor;
}

/** The checkpoint's tensor behind a weight, through the cast that F16 and BF16 need. */
const parameterBehind = (node: Node): ParameterNode | undefined => {
  if (node.kind === 'cast') return parameterBehind(node.inputs[0]);
  return node.kind === 'parameter' ? node : undefined;
};

/** Splits weight + (b . a) * factor, the form in which an adapter changes a weight. */
const splitUpdate = (weight: Node): [Node, LowRank | undefined] => {
  if (weight.kind !== 'binary' || weight.op !== 'add') return [weight, undefined];
  const [base, scaled] = weight.inputs;
  if (scaled.kind !== 'binary' || scaled.op !== 'mul') return [weight, undefined];
  const [product, factor] = scaled.inputs;
  if (product.kind !== 'matmul' || product.transposeB) return [weight, undefined];
  const [b, a] = product.inputs;
  return [base, { a, b, factor }];
};

const layerOf = (stored: Node, keepFloat32: RegExp | undefined): Layer | undefined => {
  const [base, update] = splitUpdate(stored);
  const weight = parameterBehind(base);
  if (!weight || (keepFloat32 && weight.name.search(keepFloat32) >= 0)) return undefined;
  const [out, width] = weight.shape as readonly [number, number];
  return out * width < MIN_WEIGHTS ? undefined : { weight, out, width, update };
};

const refuseInfinite = (name: string): never => {
  throw new TollamaError(
    'CHECKPOINT_INVALID',
    `tensor '${name}' holds NaN or infinity, which int8 cannot`,
    { hint: 'use --precision float32' },
  );
};

const align = (at: number): number => Math.ceil(at / ALIGNMENT) * ALIGNMENT;

/** In the order of their places, so that the file only grows. */
const writeLayers = async (
  layers: readonly Layer[],
  checkpoint: Checkpoint,
  path: string,
): Promise<void> => {
  await using file = await open(path, 'w');
  for (const { weight, out, width } of layers) {
    const stored = await readTensor(checkpoint.tensors.get(weight.name)!);
    const { data, scale } = quantizeRows(stored, out, width) ?? refuseInfinite(weight.name);
    for (const part of [new Uint8Array(data.buffer), new Uint8Array(scale.buffer)]) {
      await file.writeFile(part);
      await file.writeFile(new Uint8Array(align(part.length) - part.length));
    }
  }
};

/** The integers of layers, each made when it is first met, and where they lie in the file beside the graph. */
class QuantizedLayers {
  readonly #layers = new Map<string, QuantizedLayer>();
  readonly #places = new Map<string, ExternalData>();
  #end = 0;

  #place(name: string, length: number): void {
    this.#places.set(name, { location: SIDECAR, offset: this.#end, length });
    this.#end = align(this.#end + length);
  }

  of(layer: Layer): QuantizedLayer {
    const { weight, out, width } = layer;
    const known = this.#layers.get(weight.name);
    if (known) return known;
    const [data, scale] = [`${weight.name}.int8`, `${weight.name}.scale`];
    this.#place(data, out * width);
    this.#place(scale, out * Float32Array.BYTES_PER_ELEMENT);
    const made = {
      ...layer,
      data: parameter(data, [width, out], 'int8'),
      scale: parameter(scale, [out], 'float32'),
    };
    this.#layers.set(weight.name, made);
    return made;
  }

  placeOf(name: string): ExternalData | undefined {
    return this.#places.get(name);
  }

  /** In the order of their places. */
  all(): readonly QuantizedLayer[] {
    return [...this.#layers.values()];
  }
}

/**
 * The graph with its linear layers in int8: weights [out, in] of MIN_WEIGHTS or more become integers [in, out] and a
 * scale [out]. `write` throws CHECKPOINT_INVALID for a weight that is not finite.
 *
 * @param keepFloat32 layers whose weight's name matches stay as they are
 */
export const quantizeGraph = (
  graph: Graph,
  checkpoint: Checkpoint,
  keepFloat32?: RegExp,
): QuantizedGraph => {
  const layers = new QuantizedLayers();
  const rule = (node: Node, inputs: readonly Tensor[]): Tensor => {
    if (node.kind === 'scan') return withinLoops(node, inputs);
    const layer = node.kind === 'linear' ? layerOf(inputs[1]!, keepFloat32) : undefined;
    if (!layer) return withInputs(node, inputs);
    const { data, scale } = layers.of(layer);
    const [x, , bias] = inputs;
    const product = quantizedAffine(x!, data, scale, bias);
    const { update } = layer;
    // An update of low rank is cheap beside the integers, and stays exact.
    if (!update) return product;
    return add(product, affine(affine(x!, update.a), mul(update.b, update.factor)));
  };
  const withinLoops = rewriteLoops(rule);

  return {
    graph: rewriteGraph(graph, rule),
    locate: (name) => layers.placeOf(name),
    write: (folder) => writeLayers(layers.all(), checkpoint, join(folder, SIDECAR)),
  };
};
