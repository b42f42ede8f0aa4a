/** The messages of onnx.proto (IR version 10) that we write, by its field numbers. */
import type { Dim } from '../dimension.ts';
import { DTYPES, type DType, type TensorData } from '../dtype.ts';
import { ProtobufWriter } from './protobuf.ts';

export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly graph: OnnxGraph };

export type Attributes = Readonly<Record<string, Attribute>>;

export interface OnnxNode {
  readonly opType: string;
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** Bytes of a file beside the model file. */
export interface ExternalData {
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

export interface OnnxInitializer {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData | ExternalData;
}

export interface OnnxValue {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export interface OnnxGraph {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxInitializer[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
}

export interface OnnxModel extends OnnxGraph {
  readonly opsets: Readonly<Record<string, number>>;
}

const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, graph: 5, ints: 7 } as const;
const IR_VERSION = 10;
const EXTERNAL = 1;

const writeAttribute = (writer: ProtobufWriter, name: string, value: Attribute): void => {
  writer.string(1, name);
  if ('float' in value) writer.float(2, value.float).integer(20, ATTRIBUTE_TYPE.float);
  else if ('int' in value) writer.integer(3, value.int).integer(20, ATTRIBUTE_TYPE.int);
  else if ('string' in value) writer.string(4, value.string).integer(20, ATTRIBUTE_TYPE.string);
  else if ('graph' in value) {
    writer.message(6, (inner) => writeGraph(inner, value.graph));
    writer.integer(20, ATTRIBUTE_TYPE.graph);
  } else {
    for (const item of value.ints) writer.integer(8, item);
    writer.integer(20, ATTRIBUTE_TYPE.ints);
  }
};

const writeNode = (writer: ProtobufWriter, node: OnnxNode): void => {
  for (const name of node.inputs) writer.string(1, name);
  for (const name of node.outputs) writer.string(2, name);
  writer.string(3, node.outputs[0] ?? '').string(4, node.opType);
  for (const [name, value] of Object.entries(node.attributes)) {
    writer.message(5, (inner) => writeAttribute(inner, name, value));
  }
  if (node.domain) writer.string(7, node.domain);
};

const writeInitializer = (writer: ProtobufWriter, tensor: OnnxInitializer): void => {
  for (const dim of tensor.shape) writer.integer(1, dim);
  writer.integer(2, DTYPES[tensor.dtype].onnx).string(8, tensor.name);
  const { data } = tensor;
  if (ArrayBuffer.isView(data)) {
    writer.bytes(9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    return;
  }
  const entries = { location: data.location, offset: data.offset, length: data.length };
  for (const [key, value] of Object.entries(entries)) {
    writer.message(13, (entry) => entry.string(1, key).string(2, String(value)));
  }
  writer.integer(14, EXTERNAL);
};

const writeValue = (writer: ProtobufWriter, value: OnnxValue): void => {
  writer.string(1, value.name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.integer(1, DTYPES[value.dtype].onnx).message(2, (shape) => {
        for (const dim of value.shape) {
          shape.message(1, (entry) =>
            typeof dim === 'number' ? entry.integer(1, dim) : entry.string(2, dim.text),
          );
        }
      }),
    ),
  );
};

const writeGraph = (writer: ProtobufWriter, graph: OnnxGraph): void => {
  for (const node of graph.nodes) writer.message(1, (inner) => writeNode(inner, node));
  writer.string(2, graph.name);
  for (const tensor of graph.initializers) {
    writer.message(5, (inner) => writeInitializer(inner, tensor));
  }
  for (const value of graph.inputs) writer.message(11, (inner) => writeValue(inner, value));
  for (const value of graph.outputs) writer.message(12, (inner) => writeValue(inner, value));
};

/** The bytes of a model file. */
export const encodeModel = (model: OnnxModel): Uint8Array => {
  const writer = new ProtobufWriter();
  writer.integer(1, IR_VERSION).string(2, 'tollama');
  writer.message(7, (graph) => writeGraph(graph, model));
  for (const [domain, version] of Object.entries(model.opsets)) {
    writer.message(8, (opset) => opset.string(1, domain).integer(2, version));
  }
  return writer.finish();
};
