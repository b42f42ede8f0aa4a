/**
 * Reads a pickle (Python's pickletools.py; protocols 2 to 5) as data. Of its instructions only those that
 * `torch.save` writes are known; a call makes one of the few values of `globals.ts`, and nothing else.
 */
import { construct, isKnownGlobal, storageType } from './globals.ts';
import { describe, isKind, type PickledStorage, type PickleValue } from './pickle-value.ts';
import type { Refuse } from './zip-directory.ts';

/** Longer integers than any size, seed or hash. */
const MAX_INTEGER_BYTES = 64;

/** Walks over the bytes; reading past their end is refused. */
class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #refuse: Refuse;
  at = 0;

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
  }

  #take(count: number): number {
    const from = this.at;
    if (count > this.#bytes.length - from) this.#refuse('its pickle ends early');
    this.at += count;
    return from;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Of a length or count; larger ones than any file are refused. */
  uint64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    return value > BigInt(this.#bytes.length)
      ? this.#refuse('its pickle ends early')
      : Number(value);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  bytes(count: number): Uint8Array {
    const from = this.#take(count);
    return this.#bytes.subarray(from, from + count);
  }

  text(count: number): string {
    const bytes = this.bytes(count);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return this.#refuse('a text in its pickle is not UTF-8');
    }
  }

  /** Up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) this.#refuse('its pickle ends early');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** Two's complement, the lowest byte first. */
  integer(count: number): number | bigint {
    if (count > MAX_INTEGER_BYTES) this.#refuse(`its pickle has an integer of ${count} bytes`);
    let value = 0n;
    for (const byte of this.bytes(count).toReversed()) value = (value << 8n) | BigInt(byte);
    value = BigInt.asIntN(8 * count, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}

/** The machine: a stack, marks in it, and values that were put aside to be used again. */
class Machine {
  readonly reader: ByteReader;
  readonly refuse: Refuse;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  /** Elements that calls may still copy: those of an honest pickle each took a byte of it. */
  #copies: number;

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#copies = bytes.length;
    this.reader = new ByteReader(bytes, refuse);
    this.refuse = refuse;
  }

  push(value: PickleValue): void {
    this.#stack.push(value);
  }

  pop(): PickleValue {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.refuse('its pickle takes too much');
    return this.#stack.pop()!;
  }

  top(): PickleValue {
    const value = this.pop();
    this.push(value);
    return value;
  }

  /** Counts what a call copies: a remembered list could be copied without end. */
  spend(elements: number): void {
    this.#copies -= elements;
    if (this.#copies < 0) this.refuse('its pickle copies more than it holds');
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  /** All values since the last mark. */
  popMark(): PickleValue[] {
    const from = this.#marks.pop() ?? this.refuse('its pickle lacks a mark');
    return this.#stack.splice(from);
  }

  remember(place: number): void {
    this.#memo.set(place, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(place: number): void {
    const known = this.#memo.get(place);
    this.push(known === undefined ? this.refuse(`its pickle recalls ${place}, unknown`) : known);
  }

  /** The only value that is left at the end. */
  result(): PickleValue {
    const value = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) this.refuse('its pickle leaves values');
    return value;
  }
}

const lookUp = (m: Machine, module: PickleValue, name: PickleValue): PickleValue => {
  if (typeof module !== 'string' || typeof name !== 'string') {
    return m.refuse(`its pickle looks up ${describe(name)} in ${describe(module)}`);
  }
  const full = `${module}.${name}`;
  return isKnownGlobal(full)
    ? { kind: 'global', name: full }
    : m.refuse(`its pickle asks for ${JSON.stringify(full)}, which is never loaded`);
};

const call = (m: Machine, callee: PickleValue, args: PickleValue): PickleValue => {
  if (!isKind(callee, 'global')) return m.refuse(`its pickle calls ${describe(callee)}`);
  if (!Array.isArray(args))
    return m.refuse(`its pickle calls ${callee.name} with ${describe(args)}`);
  m.spend(Array.isArray(args[0]) ? args[0].length : 0);
  return construct(callee.name, args, m.refuse);
};

/** ('storage', class, key, location, count) */
const persistent = (m: Machine, id: PickleValue): PickledStorage => {
  const [tag, type, key, location, count] = Array.isArray(id) ? id : [];
  const dtype = isKind(type, 'global') ? storageType(type.name) : undefined;
  const isWhole = typeof count === 'number' && Number.isSafeInteger(count) && count >= 0;
  if (tag !== 'storage' || typeof key !== 'string' || typeof location !== 'string' || !isWhole) {
    return m.refuse(`its pickle refers to ${describe(id)}, which is no storage`);
  }
  if (!dtype) return m.refuse(`a storage is ${describe(type)}, not a class of storages`);
  return { kind: 'storage', key, dtype, count };
};

const append = (m: Machine, values: readonly PickleValue[]): void => {
  const list = m.top();
  if (!Array.isArray(list)) m.refuse(`its pickle appends to ${describe(list)}`);
  else for (const value of values) list.push(value);
};

const setItems = (m: Machine, items: readonly PickleValue[]): void => {
  const dict = m.top();
  if (!(dict instanceof Map) || items.length % 2 !== 0) {
    m.refuse(`its pickle sets ${items.length} keys and values of ${describe(dict)}`);
  } else {
    for (let i = 0; i < items.length; i += 2) dict.set(items[i]!, items[i + 1]!);
  }
};

const addItems = (m: Machine, items: readonly PickleValue[]): void => {
  const set = m.top();
  if (!(set instanceof Set)) m.refuse(`its pickle adds to ${describe(set)}`);
  else for (const item of items) set.add(item);
};

/** Attributes of an instance are kept; those of a dict, such as a state_dict's versions, are not. */
const build = (m: Machine, state: PickleValue): void => {
  const instance = m.top();
  if (isKind(instance, 'object')) instance.state = state;
  else if (!(instance instanceof Map))
    m.refuse(`its pickle sets attributes of ${describe(instance)}`);
};

/** Tuples and stacks name their arguments in the order in which they were pushed. */
const second = <Result>(m: Machine, make: (first: PickleValue, second: PickleValue) => Result) => {
  const last = m.pop();
  return make(m.pop(), last);
};

const OPERATIONS: Readonly<Record<number, (m: Machine) => void>> = {
  40: (m) => m.mark(),
  41: (m) => m.push([]),
  48: (m) => void m.pop(),
  49: (m) => void m.popMark(),
  50: (m) => m.push(m.top()),
  66: (m) => m.push(m.reader.bytes(m.reader.uint32())),
  67: (m) => m.push(m.reader.bytes(m.reader.uint8())),
  71: (m) => m.push(m.reader.float64()),
  74: (m) => m.push(m.reader.int32()),
  75: (m) => m.push(m.reader.uint8()),
  77: (m) => m.push(m.reader.uint16()),
  78: (m) => m.push(null),
  81: (m) => m.push(persistent(m, m.pop())),
  82: (m) => m.push(second(m, (callee, args) => call(m, callee, args))),
  84: (m) => m.push(m.reader.text(m.reader.uint32())),
  85: (m) => m.push(m.reader.text(m.reader.uint8())),
  88: (m) => m.push(m.reader.text(m.reader.uint32())),
  93: (m) => m.push([]),
  97: (m) => append(m, [m.pop()]),
  98: (m) => build(m, m.pop()),
  99: (m) => {
    const module = m.reader.line();
    m.push(lookUp(m, module, m.reader.line()));
  },
  101: (m) => append(m, m.popMark()),
  104: (m) => m.recall(m.reader.uint8()),
  106: (m) => m.recall(m.reader.uint32()),
  113: (m) => m.remember(m.reader.uint8()),
  114: (m) => m.remember(m.reader.uint32()),
  115: (m) =>
    setItems(
      m,
      second(m, (key, value) => [key, value]),
    ),
  116: (m) => m.push(m.popMark()),
  117: (m) => setItems(m, m.popMark()),
  125: (m) => m.push(new Map()),
  129: (m) => m.push(second(m, (callee, args) => call(m, callee, args))),
  133: (m) => m.push([m.pop()]),
  134: (m) => m.push(second(m, (a, b) => [a, b])),
  135: (m) => {
    const last = m.pop();
    m.push(second(m, (a, b) => [a, b, last]));
  },
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  138: (m) => m.push(m.reader.integer(m.reader.uint8())),
  139: (m) => m.push(m.reader.integer(m.reader.uint32())),
  140: (m) => m.push(m.reader.text(m.reader.uint8())),
  141: (m) => m.push(m.reader.text(m.reader.uint64())),
  142: (m) => m.push(m.reader.bytes(m.reader.uint64())),
  143: (m) => m.push(new Set()),
  144: (m) => addItems(m, m.popMark()),
  145: (m) => m.push(new Set(m.popMark())),
  147: (m) => m.push(second(m, (module, name) => lookUp(m, module, name))),
  148: (m) => m.rememberNext(),
  149: (m) => void m.reader.uint64(),
};

const PROTOCOL = 0x80;
const STOP = 0x2e;

/**
 * The value of a pickle.
 *
 * @param refuse called with the reason for a pickle that is malformed or asks for anything but data
 */
export const unpickle = (bytes: Uint8Array, refuse: Refuse): PickleValue => {
  const machine = new Machine(bytes, refuse);
  const { reader } = machine;
  if (reader.uint8() !== PROTOCOL) refuse('its pickle is of a protocol below 2');
  const protocol = reader.uint8();
  if (protocol < 2 || protocol > 5)
    refuse(`its pickle is of protocol ${protocol}; 2 to 5 are read`);
  for (;;) {
    const code = reader.uint8();
    if (code === STOP) break;
    const operation = Object.hasOwn(OPERATIONS, code) ? OPERATIONS[code] : undefined;
    if (!operation)
      refuse(`its pickle has the instruction 0x${code.toString(16)}, which is not read`);
    else operation(machine);
  }
  if (reader.at !== bytes.length) refuse('bytes follow the end of its pickle');
  return machine.result();
};
