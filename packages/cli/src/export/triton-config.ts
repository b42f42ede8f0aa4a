/** config.pbtxt of Triton's model repository (model_config.proto) for an exported graph. */
import { TollamaError } from '@tollama/core/errors';

export interface TritonTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly (number | string)[];
}

export interface TritonModel {
  readonly name: string;
  readonly inputs: readonly TritonTensor[];
  readonly outputs: readonly TritonTensor[];
  /** Most requests' rows that Triton puts into one run. */
  readonly maxBatchSize: number;
  /** How long a run may wait for more rows. */
  readonly maxQueueDelayMicroseconds: number;
  readonly instances: number;
  readonly threads: number;
  /** Versions kept ready: the newest ones. */
  readonly versions: number;
}

const DATA_TYPES: Readonly<Record<string, string>> = {
  float32: 'TYPE_FP32',
  float64: 'TYPE_FP64',
  float16: 'TYPE_FP16',
  bfloat16: 'TYPE_BF16',
  int64: 'TYPE_INT64',
  int32: 'TYPE_INT32',
  int8: 'TYPE_INT8',
  uint8: 'TYPE_UINT8',
  bool: 'TYPE_BOOL',
};

/**
 * The symbol that all inputs and outputs have as their first size and nowhere else: Triton may put requests
 * together along it. Undefined where there is none.
 */
export const batchSymbolOf = ({
  inputs,
  outputs,
}: Pick<TritonModel, 'inputs' | 'outputs'>): string | undefined => {
  const all = [...inputs, ...outputs];
  const first = inputs[0]?.shape[0];
  if (typeof first !== 'string' || !/^\w+$/.test(first)) return undefined;
  const mentions = new RegExp(`\\b${first}\\b`);
  const isBatch = all.every(
    ({ shape }) =>
      shape[0] === first && !shape.slice(1).some((size) => mentions.test(String(size))),
  );
  return isBatch ? first : undefined;
};

const tensorBlock = ({ name, dtype, shape }: TritonTensor, isBatched: boolean): string => {
  const dims = (isBatched ? shape.slice(1) : shape).map((size) =>
    typeof size === 'number' ? size : -1,
  );
  // Triton knows no tensor without axes; such a one is sent as [1].
  const place =
    dims.length > 0 ? `dims: [ ${dims.join(', ')} ]` : 'dims: [ 1 ]\n    reshape { shape: [ ] }';
  return `  {\n    name: ${JSON.stringify(name)}\n    data_type: ${DATA_TYPES[dtype]}\n    ${place}\n  }`;
};

const section = (name: string, tensors: readonly TritonTensor[], isBatched: boolean): string =>
  `${name} [\n${tensors.map((tensor) => tensorBlock(tensor, isBatched)).join(',\n')}\n]`;

const parameter = (key: string, value: string): string =>
  `parameters { key: "${key}" value { string_value: "${value}" } }`;

/**
 * The text of config.pbtxt. A graph without a common first axis gets `max_batch_size: 0`: one request, one run.
 *
 * @throws TollamaError INVALID_REQUEST for a name that Triton would not take for a folder
 */
export const tritonConfig = (model: TritonModel): string => {
  if (!/^[\w.-]+$/.test(model.name)) {
    throw new TollamaError('INVALID_REQUEST', `name '${model.name}' cannot be a Triton model's`, {
      hint: 'use letters, digits, dots, dashes and underscores with --name',
    });
  }
  const isBatched = batchSymbolOf(model) !== undefined && model.maxBatchSize > 0;
  return `${[
    `name: "${model.name}"`,
    'platform: "onnxruntime_onnx"',
    'default_model_filename: "model.onnx"',
    `max_batch_size: ${isBatched ? model.maxBatchSize : 0}`,
    section('input', model.inputs, isBatched),
    section('output', model.outputs, isBatched),
    ...(isBatched
      ? [
          `dynamic_batching {\n  max_queue_delay_microseconds: ${model.maxQueueDelayMicroseconds}\n}`,
        ]
      : []),
    `version_policy: { latest { num_versions: ${model.versions} } }`,
    `instance_group [\n  {\n    count: ${model.instances}\n    kind: KIND_CPU\n  }\n]`,
    // As in tollama's own sessions, threads work within an operator only.
    parameter('intra_op_thread_count', String(model.threads)),
    parameter('inter_op_thread_count', '1'),
  ].join('\n')}\n`;
};
