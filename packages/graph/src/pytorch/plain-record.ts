/** Values of a pickle as those of JSON. */
import { isKind, type PickleValue } from './pickle-value.ts';
import type { Refuse } from './zip-directory.ts';

const MAX_DEPTH = 32;
/** Values that a pickle shares are copied, so that a small one could grow without end. */
const MAX_VALUES = 100_000;

/**
 * Lists, tuples and sets as arrays, dicts as records, instances as records that hold their attributes and
 * `class`; tensors and bytes, which say nothing here, as null.
 */
export const plainRecord = (
  dict: Map<PickleValue, PickleValue>,
  refuse: Refuse,
): Readonly<Record<string, unknown>> => {
  let values = 0;
  const record = (from: Map<PickleValue, PickleValue>, depth: number): Record<string, unknown> =>
    Object.fromEntries(
      [...from].map(([key, value]) => [String(plain(key, depth)), plain(value, depth)]),
    );
  const plain = (value: PickleValue, above: number): unknown => {
    const depth = above + 1;
    if (++values > MAX_VALUES) refuse(`its hyper_parameters hold more than ${MAX_VALUES} values`);
    if (depth > MAX_DEPTH) refuse(`its hyper_parameters nest more than ${MAX_DEPTH} deep`);
    if (typeof value === 'bigint') return Number(value);
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => plain(item, depth));
    if (value instanceof Map) return record(value, depth);
    if (value instanceof Set) return [...value].map((item) => plain(item, depth));
    if (!isKind(value, 'object')) return null;
    const state = value.state instanceof Map ? record(value.state, depth) : {};
    return { ...state, class: value.className };
  };
  return record(dict, 0);
};
