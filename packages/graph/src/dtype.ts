/** Element types of tensors, with what each file format calls them. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'int64'
  | 'int32'
  | 'int8'
  | 'uint8'
  | 'bool';

interface DTypeFacts {
  readonly sizeBytes: number;
  /** TensorProto.DataType of onnx.proto. */
  readonly onnx: number;
  readonly safetensors: string;
  /** As printed in graph texts. */
  readonly short: string;
}

export const DTYPES: Readonly<Record<DType, DTypeFacts>> = {
  float32: { sizeBytes: 4, onnx: 1, safetensors: 'F32', short: 'f32' },
  float64: { sizeBytes: 8, onnx: 11, safetensors: 'F64', short: 'f64' },
  float16: { sizeBytes: 2, onnx: 10, safetensors: 'F16', short: 'f16' },
  bfloat16: { sizeBytes: 2, onnx: 16, safetensors: 'BF16', short: 'bf16' },
  int64: { sizeBytes: 8, onnx: 7, safetensors: 'I64', short: 'i64' },
  int32: { sizeBytes: 4, onnx: 6, safetensors: 'I32', short: 'i32' },
  int8: { sizeBytes: 1, onnx: 3, safetensors: 'I8', short: 'i8' },
  uint8: { sizeBytes: 1, onnx: 2, safetensors: 'U8', short: 'u8' },
  bool: { sizeBytes: 1, onnx: 9, safetensors: 'BOOL', short: 'bool' },
};

const BY_SAFETENSORS = new Map<string, DType>(
  (Object.keys(DTYPES) as DType[]).map((dtype) => [DTYPES[dtype].safetensors, dtype]),
);

/** The type of a safetensors name such as `F32`; undefined for one that is not known. */
export const fromSafetensorsName = (name: string): DType | undefined => BY_SAFETENSORS.get(name);

export const SAFETENSORS_NAMES: readonly string[] = [...BY_SAFETENSORS.keys()];

/** Types that hold weights and activations; the rest index, mask or quantise. */
export const isFloat = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16' || dtype === 'bfloat16';

/** The arrays that carry tensor values in JavaScript; bool travels as 0 and 1 in a Uint8Array. */
export type TensorData =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int8Array
  | Uint8Array
  | Uint16Array;
