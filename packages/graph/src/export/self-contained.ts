/**
 * Writes a graph as an ONNX model that needs nothing of the checkpoint any more: the weights lie inside of the
 * model file, or in one file beside it.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { type Dim, dimText, symbolsOf } from '../dimension.ts';
import type { Graph } from '../graph.ts';
import { toOnnx } from '../onnx/encode.ts';
import {
  type ExternalData,
  encodeModel,
  type OnnxInitializer,
  type OnnxModel,
  type OnnxValue,
} from '../onnx/messages.ts';
import { quantizeGraph } from '../quantize/quantize.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';
import { openRegularFile, readPart } from '../safetensors/regular-file.ts';
import type { Precision } from '../session/options.ts';
import { checkParameters } from '../session/runtime-session.ts';
import { pinDim } from './pin-sizes.ts';

/** Where the weights of an exported model go. */
export const WEIGHT_PLACES = ['auto', 'inside', 'beside'] as const;
export type WeightPlace = (typeof WEIGHT_PLACES)[number];

export interface SelfContainedRequest {
  readonly checkpoint: Checkpoint;
  readonly precision: Precision;
  /** Linear layers whose weight's name matches stay float32 under int8. */
  readonly keepFloat32?: RegExp | undefined;
  /** `auto`: inside up to 512 MiB, beside past that. */
  readonly weights: WeightPlace;
  /** Sizes that the exported model fixes; symbols without one stay symbolic. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly folder: string;
  /** Name of the files without their ending: `model` gives `model.onnx` and `model.onnx.data`. */
  readonly name: string;
}

export interface SelfContainedModel {
  /** File names in the folder; the model first. */
  readonly files: readonly string[];
  /** With the sizes that were fixed. */
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly opsets: Readonly<Record<string, number>>;
  readonly weightBytes: number;
}

const AUTO_INSIDE_BYTES = 512 * 2 ** 20;
/** A protobuf message is shorter than this. */
const MAX_INSIDE_BYTES = 2 ** 31 - 2 ** 24;
/** Large tensors start on a page, so that they can be mapped. */
const PAGE = 4096;
const LINE = 64;

interface Stored extends OnnxInitializer {
  readonly data: ExternalData;
}

const isStored = (tensor: OnnxInitializer): tensor is Stored => !ArrayBuffer.isView(tensor.data);

const pinned = (
  values: readonly OnnxValue[],
  sizes: ReadonlyMap<string, number>,
): readonly OnnxValue[] =>
  values.map((value) => ({ ...value, shape: value.shape.map((dim) => pinDim(dim, sizes)) }));

/** The graph's model with each weight's location being the absolute path of the file that holds it. */
const locatedModel = async (
  graph: Graph,
  { checkpoint, precision, keepFloat32 }: SelfContainedRequest,
  scratch: string,
): Promise<OnnxModel> => {
  checkParameters(graph, checkpoint.tensors);
  const ofCheckpoint = (name: string): ExternalData => {
    const { file, offset, sizeBytes } = checkpoint.tensors.get(name)!;
    return { location: file, offset, length: sizeBytes };
  };
  if (precision === 'float32') return toOnnx(graph, ofCheckpoint);
  const quantized = quantizeGraph(graph, checkpoint, keepFloat32);
  await quantized.write(scratch);
  return toOnnx(quantized.graph, (name) => {
    const place = quantized.locate(name);
    return place ? { ...place, location: join(scratch, place.location) } : ofCheckpoint(name);
  });
};

/** Reads weights into the model. */
const inlined = async (model: OnnxModel): Promise<OnnxModel> => {
  const initializers: OnnxInitializer[] = [];
  for (const tensor of model.initializers) {
    if (!isStored(tensor)) initializers.push(tensor);
    else {
      const { location, offset, length } = tensor.data;
      await using file = await openRegularFile(location);
      initializers.push({ ...tensor, data: await readPart(file, offset, length) });
    }
  }
  return { ...model, initializers };
};

const align = (at: number, to: number): number => Math.ceil(at / to) * to;

/** Copies weights one after another into a file, in pieces. */
const gathered = async (model: OnnxModel, path: string, name: string): Promise<OnnxModel> => {
  await using file = await open(path, 'w');
  let end = 0;
  const initializers: OnnxInitializer[] = [];
  for (const tensor of model.initializers) {
    if (!isStored(tensor)) {
      initializers.push(tensor);
      continue;
    }
    const { location, offset, length } = tensor.data;
    const start = align(end, length >= PAGE ? PAGE : LINE);
    let at = start;
    if (length > 0) {
      for await (const piece of createReadStream(location, {
        start: offset,
        end: offset + length - 1,
      })) {
        const bytes = piece as Buffer;
        await file.write(bytes, 0, bytes.length, at);
        at += bytes.length;
      }
    }
    end = start + length;
    initializers.push({ ...tensor, data: { location: name, offset: start, length } });
  }
  return { ...model, initializers };
};

const isInside = (place: WeightPlace, weightBytes: number): boolean => {
  if (place !== 'inside') return place === 'auto' && weightBytes <= AUTO_INSIDE_BYTES;
  if (weightBytes <= MAX_INSIDE_BYTES) return true;
  throw new TollamaError(
    'INVALID_REQUEST',
    `weights = inside: ${weightBytes} bytes of weights do not fit into one ONNX file (2 GiB)`,
    { hint: 'use --weights beside, or --precision int8' },
  );
};

/** Refuses sizes that the graph has no symbol for. */
const checkSizes = (graph: Graph, sizes: ReadonlyMap<string, number>): void => {
  const known = new Set(graph.inputs.flatMap(({ shape }) => shape.flatMap(symbolsOf)));
  for (const name of sizes.keys()) {
    if (known.has(name)) continue;
    throw new TollamaError('INVALID_REQUEST', `size '${name}': ${graph.name} has no such size`, {
      hint: `its sizes are ${[...known].join(', ') || 'all fixed'}`,
    });
  }
};

/**
 * @throws TollamaError INVALID_REQUEST for sizes that the graph lacks and for weights that do not fit inside,
 *   CHECKPOINT_INVALID when the checkpoint is not the graph's
 */
export const writeSelfContained = async (
  graph: Graph,
  request: SelfContainedRequest,
): Promise<SelfContainedModel> => {
  const { folder, name, sizes, weights } = request;
  checkSizes(graph, sizes);
  const scratch = await mkdtemp(join(tmpdir(), 'tollama-export-'));
  try {
    const located = await locatedModel(graph, request, scratch);
    const weightBytes = located.initializers
      .filter(isStored)
      .reduce((sum, { data }) => sum + data.length, 0);
    const file = `${name}.onnx`;
    const inside = isInside(weights, weightBytes);
    const held = inside
      ? await inlined(located)
      : await gathered(located, join(folder, `${file}.data`), `${file}.data`);
    const inputs = pinned(held.inputs, sizes);
    const outputs = pinned(held.outputs, sizes);
    await writeFile(join(folder, file), encodeModel({ ...held, inputs, outputs }));
    const files = inside ? [file] : [file, `${file}.data`];
    return { files, inputs, outputs, opsets: held.opsets, weightBytes };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
};

/** The text of each size of a shape, numbers as numbers. */
export const shapeTexts = (shape: readonly Dim[]): readonly (number | string)[] =>
  shape.map((dim) => (typeof dim === 'number' ? dim : dimText(dim)));
