/** What a pickle of `torch.save` may hold: data alone. Nothing in here is ever called. */
import type { DType } from '../dtype.ts';

/** The bytes that tensors are views of: an entry `data/KEY` of the archive. */
export interface PickledStorage {
  readonly kind: 'storage';
  readonly key: string;
  readonly dtype: DType;
  /** Elements. */
  readonly count: number;
}

export interface PickledTensor {
  readonly kind: 'tensor';
  readonly storage: PickledStorage;
  /** In elements of the storage, as the strides. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** An instance of a class that is known to be harmless data, as what it was pickled from. */
export interface PickledObject {
  readonly kind: 'object';
  /** `module.name` */
  readonly className: string;
  state: PickleValue;
}

/** A name that a pickle looks up; only those that `globals.ts` lists exist. */
export interface PickledGlobal {
  readonly kind: 'global';
  readonly name: string;
}

export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  /** Lists and tuples. */
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickledStorage
  | PickledTensor
  | PickledObject
  | PickledGlobal;

type Kind = 'storage' | 'tensor' | 'object' | 'global';
type OfKind<K extends Kind> = Extract<PickleValue, { readonly kind: K }>;

/** Whether a value is one of the tagged kinds. */
export const isKind = <K extends Kind>(
  value: PickleValue | undefined,
  kind: K,
): value is OfKind<K> =>
  typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind;

/** A value in a few words, for messages. */
export const describe = (value: PickleValue | undefined): string => {
  if (value === undefined) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (value instanceof Map) return `a dict of ${value.size}`;
  if (value instanceof Set) return `a set of ${value.size}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (isKind(value, 'object')) return `an instance of ${value.className}`;
  if (isKind(value, 'global')) return value.name;
  if (typeof value === 'object' && value !== null) return `a ${value.kind}`;
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return text.length > 80 ? `${text.slice(0, 80)}...` : text;
};
