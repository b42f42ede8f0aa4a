/**
 * Reads a pickle (Python's pickletools.py; protocols 2 to 5) as data. Of its instructions only those that
 * `torch.save` writes are known; a call makes one of the few values of `globals.ts`, and nothing else.
 */
import { construct, isKnownGlobal, storageType } from './globals.ts';
import { OPCODES } from './pickle-opcodes.ts';
import { PickleReader } from './pickle-reader.ts';
import { describe, isKind, type PickledStorage, type PickleValue } from './pickle-value.ts';
import type { Refuse } from './zip-directory.ts';

/** The machine: a stack, marks in it, and values that were put aside to be used again. */
class Machine {
  readonly reader: PickleReader;
  readonly refuse: Refuse;
  readonly #stack: PickleValue[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, PickleValue>();
  /** Elements that calls may still copy: those of an honest pickle each took a byte of it. */
  #copies: number;

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#copies = bytes.length;
    this.reader = new PickleReader(bytes, refuse);
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
  [OPCODES.MARK]: (m) => m.mark(),
  [OPCODES.EMPTY_TUPLE]: (m) => m.push([]),
  [OPCODES.POP]: (m) => void m.pop(),
  [OPCODES.POP_MARK]: (m) => void m.popMark(),
  [OPCODES.DUP]: (m) => m.push(m.top()),
  [OPCODES.BINBYTES]: (m) => m.push(m.reader.bytes(m.reader.uint32())),
  [OPCODES.SHORT_BINBYTES]: (m) => m.push(m.reader.bytes(m.reader.uint8())),
  [OPCODES.BINFLOAT]: (m) => m.push(m.reader.float64()),
  [OPCODES.BININT]: (m) => m.push(m.reader.int32()),
  [OPCODES.BININT1]: (m) => m.push(m.reader.uint8()),
  [OPCODES.BININT2]: (m) => m.push(m.reader.uint16()),
  [OPCODES.NONE]: (m) => m.push(null),
  [OPCODES.BINPERSID]: (m) => m.push(persistent(m, m.pop())),
  [OPCODES.REDUCE]: (m) => m.push(second(m, (callee, args) => call(m, callee, args))),
  [OPCODES.BINSTRING]: (m) => m.push(m.reader.text(m.reader.uint32())),
  [OPCODES.SHORT_BINSTRING]: (m) => m.push(m.reader.text(m.reader.uint8())),
  [OPCODES.BINUNICODE]: (m) => m.push(m.reader.text(m.reader.uint32())),
  [OPCODES.EMPTY_LIST]: (m) => m.push([]),
  [OPCODES.APPEND]: (m) => append(m, [m.pop()]),
  [OPCODES.BUILD]: (m) => build(m, m.pop()),
  [OPCODES.GLOBAL]: (m) => {
    const module = m.reader.line();
    m.push(lookUp(m, module, m.reader.line()));
  },
  [OPCODES.APPENDS]: (m) => append(m, m.popMark()),
  [OPCODES.BINGET]: (m) => m.recall(m.reader.uint8()),
  [OPCODES.LONG_BINGET]: (m) => m.recall(m.reader.uint32()),
  [OPCODES.BINPUT]: (m) => m.remember(m.reader.uint8()),
  [OPCODES.LONG_BINPUT]: (m) => m.remember(m.reader.uint32()),
  [OPCODES.SETITEM]: (m) =>
    setItems(
      m,
      second(m, (key, value) => [key, value]),
    ),
  [OPCODES.TUPLE]: (m) => m.push(m.popMark()),
  [OPCODES.SETITEMS]: (m) => setItems(m, m.popMark()),
  [OPCODES.EMPTY_DICT]: (m) => m.push(new Map()),
  [OPCODES.NEWOBJ]: (m) => m.push(second(m, (callee, args) => call(m, callee, args))),
  [OPCODES.TUPLE1]: (m) => m.push([m.pop()]),
  [OPCODES.TUPLE2]: (m) => m.push(second(m, (a, b) => [a, b])),
  [OPCODES.TUPLE3]: (m) => {
    const last = m.pop();
    m.push(second(m, (a, b) => [a, b, last]));
  },
  [OPCODES.NEWTRUE]: (m) => m.push(true),
  [OPCODES.NEWFALSE]: (m) => m.push(false),
  [OPCODES.LONG1]: (m) => m.push(m.reader.integer(m.reader.uint8())),
  [OPCODES.LONG4]: (m) => m.push(m.reader.integer(m.reader.uint32())),
  [OPCODES.SHORT_BINUNICODE]: (m) => m.push(m.reader.text(m.reader.uint8())),
  [OPCODES.BINUNICODE8]: (m) => m.push(m.reader.text(m.reader.uint64())),
  [OPCODES.BINBYTES8]: (m) => m.push(m.reader.bytes(m.reader.uint64())),
  [OPCODES.EMPTY_SET]: (m) => m.push(new Set()),
  [OPCODES.ADDITEMS]: (m) => addItems(m, m.popMark()),
  [OPCODES.FROZENSET]: (m) => m.push(new Set(m.popMark())),
  [OPCODES.STACK_GLOBAL]: (m) => m.push(second(m, (module, name) => lookUp(m, module, name))),
  [OPCODES.MEMOIZE]: (m) => m.rememberNext(),
  [OPCODES.FRAME]: (m) => void m.reader.uint64(),
};

/**
 * The value of a pickle.
 *
 * @param refuse called with the reason for a pickle that is malformed or asks for anything but data
 */
export const unpickle = (bytes: Uint8Array, refuse: Refuse): PickleValue => {
  const machine = new Machine(bytes, refuse);
  const { reader } = machine;
  if (reader.uint8() !== OPCODES.PROTO) refuse('its pickle is of a protocol below 2');
  const protocol = reader.uint8();
  if (protocol < 2 || protocol > 5)
    refuse(`its pickle is of protocol ${protocol}; 2 to 5 are read`);
  for (;;) {
    const code = reader.uint8();
    if (code === OPCODES.STOP) break;
    const operation = Object.hasOwn(OPERATIONS, code) ? OPERATIONS[code] : undefined;
    if (!operation)
      refuse(`its pickle has the instruction 0x${code.toString(16)}, which is not read`);
    else operation(machine);
  }
  if (reader.at !== bytes.length) refuse('bytes follow the end of its pickle');
  return machine.result();
};
