import { expect, test } from 'vitest';
import { batchSymbolOf, type TritonModel, tritonConfig } from './triton-config.ts';

const model: TritonModel = {
  name: 'bolt',
  inputs: [{ name: 'context', dtype: 'float32', shape: ['batch', '16*patches'] }],
  outputs: [{ name: 'quantiles', dtype: 'float32', shape: ['batch', 9, 64] }],
  maxBatchSize: 32,
  maxQueueDelayMicroseconds: 500,
  instances: 2,
  threads: 4,
  versions: 1,
};

test('a first axis that all tensors share is left to Triton', () => {
  expect(batchSymbolOf(model)).toBe('batch');
  expect(tritonConfig(model)).toMatchInlineSnapshot(`
    "name: "bolt"
    platform: "onnxruntime_onnx"
    default_model_filename: "model.onnx"
    max_batch_size: 32
    input [
      {
        name: "context"
        data_type: TYPE_FP32
        dims: [ -1 ]
      }
    ]
    output [
      {
        name: "quantiles"
        data_type: TYPE_FP32
        dims: [ 9, 64 ]
      }
    ]
    dynamic_batching {
      max_queue_delay_microseconds: 500
    }
    version_policy: { latest { num_versions: 1 } }
    instance_group [
      {
        count: 2
        kind: KIND_CPU
      }
    ]
    parameters { key: "intra_op_thread_count" value { string_value: "4" } }
    parameters { key: "inter_op_thread_count" value { string_value: "1" } }
    "
  `);
});

test.each([
  ['an input without it', [{ name: 'scale', dtype: 'float32', shape: [] }]],
  ['an input that has it elsewhere', [{ name: 'x', dtype: 'float32', shape: [4, 'batch'] }]],
  ['an input that has it twice', [{ name: 'x', dtype: 'float32', shape: ['batch', '2*batch'] }]],
])('%s turns batching off', (_, further) => {
  const inputs = [...model.inputs, ...further];
  const text = tritonConfig({ ...model, inputs });
  expect(text).toContain('max_batch_size: 0');
  expect(text).not.toContain('dynamic_batching');
  expect(text).toContain('dims: [ -1, -1 ]');
});

test('a fixed batch is one size among others', () => {
  const inputs = [{ name: 'context', dtype: 'float32', shape: [8, 512] }];
  expect(tritonConfig({ ...model, inputs })).toContain('max_batch_size: 0');
});

test('a tensor without axes travels as one with one', () => {
  const inputs = [{ name: 'scale', dtype: 'float32', shape: [] }];
  expect(tritonConfig({ ...model, inputs })).toContain('dims: [ 1 ]\n    reshape { shape: [ ] }');
});

test('a name that is no folder is refused', () => {
  expect(() => tritonConfig({ ...model, name: 'a/b' })).toThrow("name 'a/b'");
});
