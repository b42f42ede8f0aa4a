import { createRequire } from 'node:module';
import type { onnx as Onnx } from 'onnx-proto';
import { describe, expect, test } from 'vitest';
import { addDims, multiplyDims, symbol } from '../dimension.ts';
import { defineGraph, type Graph } from '../graph.ts';
import type { Tensor } from '../node.ts';
import * as ops from '../ops.ts';
import { encodeOnnx } from './encode.ts';
import type { ExternalData } from './messages.ts';

// The package's own decoder, made from onnx.proto.
const { onnx } = createRequire(import.meta.url)('onnx-proto') as { onnx: typeof Onnx };

const nowhere = (name: string): ExternalData => {
  throw new Error(`no tensor ${name}`);
};

const decode = (graph: Graph, locate = nowhere): Onnx.ModelProto => {
  const bytes = encodeOnnx(graph, locate);
  const model = onnx.ModelProto.decode(bytes);
  expect(onnx.ModelProto.verify(model)).toBeNull();
  return model;
};

const nodesOf = (model: Onnx.ModelProto): Onnx.INodeProto[] => model.graph!.node!;

const attribute = (node: Onnx.INodeProto, name: string): Onnx.IAttributeProto =>
  node.attribute!.find((candidate) => candidate.name === name)!;

const x = ops.input('x', ['batch', addDims(multiplyDims(16, symbol('patches')), 3)]);

const int64s = (tensor: Onnx.ITensorProto): bigint[] => {
  const { buffer, byteOffset, byteLength } = Uint8Array.from(tensor.rawData!);
  return [...new BigInt64Array(buffer, byteOffset, byteLength / 8)];
};

const initializer = (model: Onnx.ModelProto, name: string): Onnx.ITensorProto =>
  model.graph!.initializer!.find((tensor) => tensor.name === name)!;

test('the model says what it is made for', () => {
  const model = decode(defineGraph('double', [x], { y: ops.mul(x, 2) }));
  expect(Number(model.irVersion)).toBe(10);
  expect(model.producerName).toBe('tollama');
  expect(model.graph!.name).toBe('double');
  expect(model.opsetImport.map(({ domain, version }) => [domain, Number(version)])).toEqual([
    ['', 21],
    ['com.microsoft', 1],
  ]);
});

test('inputs and outputs carry type and shape, symbols by their text', () => {
  const flags = ops.input('flags', ['batch'], 'bool');
  const { graph } = decode(
    defineGraph('g', [x, flags], { y: ops.isNan(x), n: ops.iota(symbol('batch')) }),
  );
  const described = [...graph!.input!, ...graph!.output!].map(({ name, type }) => {
    const { elemType, shape } = type!.tensorType!;
    return [name, elemType, shape!.dim!.map((dim) => dim.dimParam || Number(dim.dimValue))];
  });
  const { FLOAT, BOOL, INT64 } = onnx.TensorProto.DataType;
  expect(described).toEqual([
    ['x', FLOAT, ['batch', '16*patches+3']],
    ['flags', BOOL, ['batch']],
    ['y', BOOL, ['batch', '16*patches+3']],
    ['n', INT64, ['batch']],
  ]);
});

describe('initializers', () => {
  test('of the graph are raw little-endian data', () => {
    const table = ops.constant([1, -2, 3, 4, 5, 6], 'int64', [2, 3]);
    const scale = ops.constant(0.1);
    const model = decode(defineGraph('g', [], { table, scale }));
    const [first, second] = model.graph!.initializer!;
    expect(first!.dataType).toBe(onnx.TensorProto.DataType.INT64);
    expect(first!.dims!.map(Number)).toEqual([2, 3]);
    expect(int64s(first!)).toEqual([1n, -2n, 3n, 4n, 5n, 6n]);
    expect(second!.dims).toEqual([]);
    const raw = Uint8Array.from(second!.rawData!);
    expect(new Float32Array(raw.buffer)[0]).toBe(Math.fround(0.1));
  });

  test('of a checkpoint point into its file, each once', () => {
    const w = ops.parameter('block.0.weight', [4, 8], 'bfloat16');
    const again = ops.parameter('block.0.weight', [4, 8], 'bfloat16');
    const place = { location: 'weights-0.safetensors', offset: 2 ** 33 + 8, length: 64 };
    const model = decode(defineGraph('g', [], { a: w, b: again }), () => place);
    const [tensor, ...others] = model.graph!.initializer!;
    expect(others).toEqual([]);
    expect(tensor!.name).toBe('block.0.weight');
    expect(tensor!.dataType).toBe(onnx.TensorProto.DataType.BFLOAT16);
    expect(tensor!.dataLocation).toBe(onnx.TensorProto.DataLocation.EXTERNAL);
    expect(tensor!.externalData!.map(({ key, value }) => [key, value])).toEqual([
      ['location', 'weights-0.safetensors'],
      ['offset', '8589934600'],
      ['length', '64'],
    ]);
    expect(tensor!.rawData).toHaveLength(0);
  });
});

describe('attributes', () => {
  const signal = ops.input('s', [1, 4, 9]);
  const filter = ops.parameter('f', [6, 2, 3], 'float32');
  const place = () => ({ location: 'w', offset: 0, length: 144 });

  test('are typed', () => {
    const { INT, INTS, FLOAT } = onnx.AttributeProto.AttributeType;
    const gain = ops.constant([1, 1, 1, 1, 1, 1, 1, 1, 1]);
    const outputs = {
      conv: ops.conv1d(signal, filter, { stride: 2, groups: 2, padding: [1, 0] }),
      norm: ops.layerNormalize(signal, gain, undefined, 1e-5),
    };
    const nodes = nodesOf(decode(defineGraph('g', [signal], outputs), place));
    const conv = nodes.find((node) => node.opType === 'Conv')!;
    expect(attribute(conv, 'pads').type).toBe(INTS);
    expect(attribute(conv, 'pads').ints!.map(Number)).toEqual([1, 0]);
    expect(attribute(conv, 'strides').ints!.map(Number)).toEqual([2]);
    expect(attribute(conv, 'group').type).toBe(INT);
    expect(Number(attribute(conv, 'group').i)).toBe(2);
    const norm = nodes.find((node) => node.opType === 'LayerNormalization')!;
    expect(attribute(norm, 'epsilon').type).toBe(FLOAT);
    expect(attribute(norm, 'epsilon').f).toBe(Math.fround(1e-5));
    expect(Number(attribute(norm, 'axis').i)).toBe(-1);
  });

  test('of onnxruntime stand in its domain, absent operands are empty', () => {
    const q = ops.input('q', ['b', 5, 8]);
    const bias = ops.input('bias', ['b', 1, 5, 5]);
    const mixed = ops.attend(q, q, q, { heads: 2, scale: 1, bias });
    const nodes = nodesOf(decode(defineGraph('g', [q, bias], { mixed })));
    const attention = nodes.find((node) => node.opType === 'MultiHeadAttention')!;
    expect(attention.domain).toBe('com.microsoft');
    expect(attention.input).toEqual(['q', 'q', 'q', '', '', 'bias']);
    expect(attribute(attention, 'scale').f).toBe(1);
    expect(Number(attribute(attention, 'num_heads').i)).toBe(2);
  });
});

describe('sizes', () => {
  const opsOf = (y: Tensor): string[] =>
    nodesOf(decode(defineGraph('g', [x], { y }))).map((node) => node.opType!);

  test('that the runtime can infer cost no node', () => {
    const z = ops.input('z', ['batch', 'n', 8]);
    const y = ops.reshape(z, [symbol('batch'), symbol('n'), 2, 4]);
    const model = decode(defineGraph('g', [z], { y }));
    expect(nodesOf(model).map((node) => node.opType)).toEqual(['Reshape', 'Identity']);
    expect(int64s(initializer(model, nodesOf(model)[0]!.input![1]!))).toEqual([0n, 0n, 2n, 4n]);
  });

  test('are read off the inputs, once each', () => {
    const both = ops.concat([ops.iota(symbol('patches')), ops.iota(symbol('patches'))], 0);
    const kinds = opsOf(both);
    expect(kinds.filter((kind) => kind === 'Shape')).toHaveLength(1);
    expect(kinds.slice(0, 3)).toEqual(['Shape', 'Sub', 'Div']);
  });

  test('that no input tells are refused', () => {
    expect(() => opsOf(ops.iota(symbol('missing')))).toThrow("no input tells the size 'missing'");
  });
});

describe('names', () => {
  const place = () => ({ location: 'w', offset: 0, length: 16 });

  test('of a checkpoint cannot clash with those of the graph', () => {
    const parameters = ['t0', 't1', 'y', 'x', "y'"].map((name) =>
      ops.parameter(name, [4], 'float32'),
    );
    const input = ops.input('x', [4]);
    const y = parameters.reduce((sum, w) => ops.add(sum, w), ops.add(input, 1));
    const model = decode(defineGraph('g', [input], { y }), place);
    const defined = [
      ...model.graph!.input!.map(({ name }) => name),
      ...model.graph!.initializer!.map(({ name }) => name),
      ...nodesOf(model).flatMap((node) => node.output!),
    ];
    expect(new Set(defined).size).toBe(defined.length);
    for (const name of nodesOf(model).flatMap((node) => node.input!)) {
      expect(defined).toContain(name);
    }
  });

  test('of an input and an output must differ', () => {
    const input = ops.input('x', [4]);
    expect(() => decode(defineGraph('g', [input], { x: ops.exp(input) }))).toThrow(
      "'x' names two inputs or outputs",
    );
  });

  test('of two outputs may mean one value', () => {
    const y = ops.exp(x);
    const model = decode(defineGraph('g', [x], { a: y, b: y }));
    expect(model.graph!.output!.map(({ name }) => name)).toEqual(['a', 'b']);
  });
});
