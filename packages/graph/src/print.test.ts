import { expect, test } from 'vitest';
import { addDims, symbol } from './dimension.ts';
import { defineGraph } from './graph.ts';
import * as ops from './ops.ts';
import { printGraph } from './print.ts';
import { rearrange } from './rearrange.ts';

const patches = symbol('patches');

test('a layer over patches', () => {
  const x = ops.input('x', ['batch', 'patches', 4]);
  const weight = ops.cast(ops.parameter('proj.weight', [8, 4], 'bfloat16'), 'float32');
  const bias = ops.parameter('proj.bias', [8], 'float32');
  const heads = rearrange(ops.affine(x, weight, bias), 'b n (h k) -> b h n k', { h: 2 });
  const y = ops.softmax(ops.mul(ops.slice(heads, 2, { end: addDims(patches, -1) }), 0.5));
  expect(printGraph(defineGraph('layer', [x], { y, heads }))).toMatchInlineSnapshot(`
    "graph layer
    %0 = input {x} : f32[batch, patches, 4]
    %1 = parameter {proj.weight} : bf16[8, 4]
    %2 = cast(%1) : f32[8, 4]
    %3 = parameter {proj.bias} : f32[8]
    %4 = linear(%0, %2, %3) : f32[batch, patches, 8]
    %5 = reshape(%4) : f32[batch, patches, 2, 4]
    %6 = transpose(%5) {permutation=0,2,1,3} : f32[batch, 2, patches, 4]
    %7 = slice(%6) {axis=2 0:patches-1} : f32[batch, 2, patches-1, 4]
    %8 = constant {0.5} : f32[]
    %9 = mul(%7, %8) : f32[batch, 2, patches-1, 4]
    %10 = softmax(%9) {axis=3} : f32[batch, 2, patches-1, 4]
    return y=%10, heads=%6
    "
  `);
});

test('every kind with attributes', () => {
  const x = ops.input('x', [2, 6, 4]);
  const filter = ops.parameter('conv.weight', [3, 6, 2], 'float32');
  const vector = ops.parameter('norm.weight', [4], 'float32');
  const { values, indices } = ops.top(x, 2, { axis: 1, largest: false });
  const outputs = {
    convolved: ops.conv1d(x, filter, { stride: 2, padding: [1, 1] }),
    product: ops.matmul(x, x, { transposeB: true }),
    normed: ops.layerNormalize(x, vector, vector, 1e-5),
    rms: ops.rmsNormalize(x, vector, 1e-6),
    mixed: ops.attend(x, x, x, { heads: 2 }),
    values,
    picked: ops.takeAlong(x, indices, 1),
    rows: ops.take(x, ops.iota(2), 1),
    running: ops.cumulativeSum(x, -1),
    spread: ops.broadcast(x, [3, 2, 6, 4]),
    joined: ops.concat([x, x], 0),
    largest: ops.max(x, [0, -1], { keepAxes: true }),
    gated: ops.where(ops.greater(x, 0), ops.silu(x), ops.stopGradient(x)),
    table: ops.constant([1, 2, 3, 4, 5, 6, 7, 8], 'int64'),
    ends: ops.slice(x, 1, { start: 1, step: 5 }),
    padded: ops.pad(x, 1, 2, 0),
    scattered: ops.scatterAdd(ops.take(x, ops.iota(2), 1), indices, 1, 6),
    back: ops.cumulativeSum(x, 1, { isReverse: true }),
    count: ops.sizeOf(6),
    quantized: ops.quantizedAffine(
      x,
      ops.parameter('q', [4, 3], 'int8'),
      ops.parameter('s', [3], 'float32'),
    ),
  };
  expect(printGraph(defineGraph('kinds', [x], outputs))).toMatchInlineSnapshot(`
    "graph kinds
    %0 = input {x} : f32[2, 6, 4]
    %1 = parameter {conv.weight} : f32[3, 6, 2]
    %2 = conv1d(%0, %1) {stride=2 dilation=1 groups=1 padding=1,1} : f32[2, 3, 3]
    %3 = matmul(%0, %0) {transposeB} : f32[2, 6, 6]
    %4 = parameter {norm.weight} : f32[4]
    %5 = layerNorm(%0, %4, %4) {epsilon=0.00001} : f32[2, 6, 4]
    %6 = rmsNorm(%0, %4) {epsilon=0.000001} : f32[2, 6, 4]
    %7 = attention(%0, %0, %0) {heads=2 scale=0.7071067811865475} : f32[2, 6, 4]
    %8 = top(%0) {axis=1 count=2 smallest values} : f32[2, 2, 4]
    %9 = top(%0) {axis=1 count=2 smallest indices} : i64[2, 2, 4]
    %10 = takeAlong(%0, %9) {axis=1} : f32[2, 2, 4]
    %11 = iota : i64[2]
    %12 = take(%0, %11) {axis=1} : f32[2, 2, 4]
    %13 = cumulativeSum(%0) {axis=2} : f32[2, 6, 4]
    %14 = broadcast(%0) : f32[3, 2, 6, 4]
    %15 = concat(%0, %0) {axis=0} : f32[4, 6, 4]
    %16 = max(%0) {axes=0,2 keep} : f32[1, 6, 1]
    %17 = constant {0} : f32[]
    %18 = greater(%0, %17) : bool[2, 6, 4]
    %19 = silu(%0) : f32[2, 6, 4]
    %20 = stopGradient(%0) : f32[2, 6, 4]
    %21 = where(%18, %19, %20) : f32[2, 6, 4]
    %22 = constant {1 2 3 4 5 6 ... 8 values} : i64[8]
    %23 = slice(%0) {axis=1 1:6:5} : f32[2, 1, 4]
    %24 = pad(%0) {axis=1 2 and 0} : f32[2, 8, 4]
    %25 = iota : i64[2]
    %26 = take(%0, %25) {axis=1} : f32[2, 2, 4]
    %27 = scatterAdd(%26, %9) {axis=1 size=6} : f32[2, 6, 4]
    %28 = cumulativeSum(%0) {axis=1 reverse} : f32[2, 6, 4]
    %29 = size {6} : i64[]
    %30 = parameter {q} : i8[4, 3]
    %31 = parameter {s} : f32[3]
    %32 = quantizedLinear(%0, %30, %31) : f32[2, 6, 3]
    return convolved=%2, product=%3, normed=%5, rms=%6, mixed=%7, values=%8, picked=%10, rows=%12, running=%13, spread=%14, joined=%15, largest=%16, gated=%21, table=%22, ends=%23, padded=%24, scattered=%27, back=%28, count=%29, quantized=%32
    "
  `);
});
