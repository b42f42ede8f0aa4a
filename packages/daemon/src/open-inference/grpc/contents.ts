/** Typed contents of a message from and to the little-endian bytes of a tensor. */
import { type Datatype, fromBytes, refuse, type TensorData } from '../tensor.ts';
import type { Contents, TensorMessage } from './messages.ts';

/** The one field of each datatype that a model may have. */
const FIELDS = {
  FP32: 'fp32_contents',
  INT32: 'int_contents',
  INT64: 'int64_contents',
  BOOL: 'bool_contents',
} as const satisfies Readonly<Record<Datatype, keyof Contents>>;

const dataOf = (datatype: Datatype, contents: Contents): TensorData => {
  switch (datatype) {
    case 'FP32':
      return Float32Array.from(contents.fp32_contents ?? []);
    case 'INT32':
      return Int32Array.from(contents.int_contents ?? []);
    case 'INT64':
      return BigInt64Array.from(contents.int64_contents ?? [], BigInt);
    case 'BOOL':
      return Uint8Array.from(contents.bool_contents ?? [], Number);
  }
};

const isDatatype = (name: string): name is Datatype => name in FIELDS;

/** Fields that hold values; a message that was read has all of them. */
export const filledFields = (contents: Contents | null | undefined): string[] =>
  Object.entries(contents ?? {})
    .filter(([, values]) => (values as readonly unknown[]).length > 0)
    .map(([field]) => field);

/**
 * Bytes of an input with typed contents; empty for a datatype that no model takes, which is refused by its name later.
 *
 * @throws TollamaError INVALID_REQUEST for values in the field of another datatype
 */
export const bytesOf = ({ name, datatype, contents }: TensorMessage): Uint8Array => {
  if (!isDatatype(datatype)) return new Uint8Array();
  const wrong = filledFields(contents).find((field) => field !== FIELDS[datatype]);
  if (wrong) refuse(`input '${name}' is ${datatype} and has ${wrong}`, `use ${FIELDS[datatype]}`);
  const { buffer } = dataOf(datatype, contents ?? {});
  return new Uint8Array(buffer);
};

/** The typed contents of an output. */
export const contentsOf = (
  { name, datatype, shape }: TensorMessage,
  bytes: Uint8Array,
): Contents => {
  const known = datatype as Datatype;
  const data = fromBytes(name, known, shape.map(Number), bytes);
  const values =
    known === 'BOOL'
      ? Array.from(data as Uint8Array, Boolean)
      : known === 'INT64'
        ? Array.from(data as BigInt64Array, String)
        : Array.from(data as Float32Array);
  return { [FIELDS[known]]: values };
};
