/** Tensors of the Open Inference Protocol: the four datatypes that forecasting models have, as JSON and as bytes. */
import { TollamaError } from '@tollama/core/errors';

export const DATATYPES = ['FP32', 'INT32', 'INT64', 'BOOL'] as const;
export type Datatype = (typeof DATATYPES)[number];

export type TensorData = Float32Array | Int32Array | BigInt64Array | Uint8Array;

export interface Tensor {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

const BYTES: Readonly<Record<Datatype, number>> = { FP32: 4, INT32: 4, INT64: 8, BOOL: 1 };

/** @throws TollamaError INVALID_REQUEST, always */
export const refuse = (message: string, hint?: string): never => {
  throw new TollamaError('INVALID_REQUEST', message, hint === undefined ? {} : { hint });
};

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

const INT32 = { least: -(2 ** 31), most: 2 ** 31 - 1 };

/** A JSON value as a number of the datatype; refuses what the datatype does not hold, without casts. */
const elementOf = (value: unknown, datatype: Datatype, name: string): number => {
  const isFit =
    datatype === 'BOOL'
      ? typeof value === 'boolean'
      : typeof value === 'number' &&
        (datatype === 'FP32'
          ? Number.isFinite(Math.fround(value))
          : datatype === 'INT32'
            ? Number.isInteger(value) && value >= INT32.least && value <= INT32.most
            : Number.isSafeInteger(value));
  if (!isFit) {
    const told = Array.isArray(value) ? 'a list' : JSON.stringify(value);
    refuse(`input '${name}': ${told} is not a value of ${datatype}`);
  }
  return Number(value);
};

const emptyData = (datatype: Datatype, size: number): TensorData => {
  switch (datatype) {
    case 'FP32':
      return new Float32Array(size);
    case 'INT32':
      return new Int32Array(size);
    case 'INT64':
      return new BigInt64Array(size);
    case 'BOOL':
      return new Uint8Array(size);
  }
};

/** Lists in lists of `data`; a bound, since deeper ones would take the stack. */
const MOST_NESTING = 16;

/** Row-major data of JSON, flat or nested. @throws TollamaError INVALID_REQUEST */
export const fromJson = (
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  json: unknown,
): TensorData => {
  if (!Array.isArray(json)) return refuse(`input '${name}': data is not a list`);
  const size = sizeOf(shape);
  const values = json.flat(MOST_NESTING) as unknown[];
  if (values.length !== size) {
    refuse(`input '${name}' has ${values.length} values, its shape [${shape}] holds ${size}`);
  }
  // Only now: a shape alone must not take memory.
  const data = emptyData(datatype, size);
  values.forEach((value, i) => {
    const number = elementOf(value, datatype, name);
    if (data instanceof BigInt64Array) data[i] = BigInt(number);
    else data[i] = number;
  });
  return data;
};

/** Little-endian bytes; copied, since a view needs its element's alignment. */
export const fromBytes = (
  name: string,
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
): TensorData => {
  const expected = sizeOf(shape) * BYTES[datatype];
  if (bytes.length !== expected) {
    refuse(
      `input '${name}' has ${bytes.length} bytes, ${datatype} of shape [${shape}] takes ${expected}`,
    );
  }
  const { buffer } = new Uint8Array(bytes);
  switch (datatype) {
    case 'FP32':
      return new Float32Array(buffer);
    case 'INT32':
      return new Int32Array(buffer);
    case 'INT64':
      return new BigInt64Array(buffer);
    case 'BOOL':
      return new Uint8Array(buffer);
  }
};

export const toBytes = ({ data }: Tensor): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

export const toJson = ({ data, datatype }: Tensor): (number | boolean)[] =>
  datatype === 'BOOL' ? Array.from(data as Uint8Array, Boolean) : Array.from(data, Number);
