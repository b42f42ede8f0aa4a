import { fc, test } from '@fast-check/vitest';
import { TollamaError } from '@tollama/core/errors';
import { describe, expect } from 'vitest';
import { type Picklable, pickleOf, tensorOf } from '../testing/torch-archive.ts';
import type { PickleValue } from './pickle-value.ts';
import { unpickle } from './unpickle.ts';

const refuse = (why: string): never => {
  throw new TollamaError('CHECKPOINT_INVALID', why);
};
const read = (bytes: Uint8Array): PickleValue => unpickle(bytes, refuse);

const hex = (text: string): Uint8Array =>
  Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
  fc.string({ unit: 'grapheme' }),
);
const { tree } = fc.letrec<{ tree: Picklable }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc
      .uniqueArray(fc.tuple(fc.string(), tie('tree')), { maxLength: 4, selector: ([key]) => key })
      .map((pairs) => new Map(pairs) as Picklable),
  ),
}));

describe('unpickle', () => {
  test.prop([tree])('gives back what was pickled', (value) => {
    expect(read(pickleOf(value))).toEqual(value);
  });

  test('knows the forms of integers', () => {
    for (const [bytes, value] of [
      ['80024b ff 2e', 255],
      ['80024d ffff 2e', 65535],
      ['80024a ffffffff 2e', -1],
      ['80028a 00 2e', 0],
      ['80028a 01 80 2e', -128],
      ['80028a 08 ffffffffffffff7f 2e', 2n ** 63n - 1n],
      ['80028b 02000000 0001 2e', 256],
    ] as const) {
      expect(read(hex(bytes))).toBe(value);
    }
  });

  test('puts aside and recalls', () => {
    // [x, x] with x = [1], by BINPUT, by MEMOIZE and by LONG_BINPUT.
    for (const put of ['7100', '94', '7200000000']) {
      const value = read(hex(`8004 5d28 5d ${put} 4b0161 6800 65 2e`)) as PickleValue[];
      expect(value).toEqual([[1], [1]]);
      expect(value[0]).toBe(value[1]);
    }
  });

  test.each([
    'posix system',
    'os system',
    'nt system',
    'builtins eval',
    'builtins exec',
    'builtins getattr',
    '__builtin__ __import__',
    'subprocess Popen',
    'torch load',
    'torch.hub load',
    'torch.storage _load_from_bytes',
    'numpy.core.multiarray _reconstruct',
    'collections OrderedDict.__init__',
    'gluonts.torch.distributions.studentT os.system',
    'constructor constructor',
    '__proto__ toString',
    ' toString',
  ])('refuses to look up %s', (name) => {
    const lookUp = pickleOf({ global: name });
    const full = name.replace(' ', '.');
    expect(() => read(lookUp)).toThrow(`its pickle asks for "${full}", which is never loaded`);
    // The same by STACK_GLOBAL.
    const [module, attribute] = name.split(' ') as [string, string];
    const onStack = [...pickleOf(module).slice(2, -1), ...pickleOf(attribute).slice(2, -1), 0x93];
    expect(() => read(pickleOf({ raw: onStack }))).toThrow('which is never loaded');
  });

  const call = (callee: Picklable, ...args: Picklable[]): Picklable => {
    return { call: callee, args: { tuple: args } };
  };
  const dict = { global: 'collections OrderedDict' };
  const rebuild = { global: 'torch._utils _rebuild_tensor_v2' };

  test.each<[string, Picklable, string]>([
    ['a call of a text', call('os.system', 'true'), 'its pickle calls "os.system"'],
    ['a call of a result', call(call(dict)), 'its pickle calls a dict of 0'],
    ['a call of a storage class', call({ global: 'torch FloatStorage' }), 'makes nothing here'],
    [
      'arguments that are no tuple',
      { call: dict, args: 7 },
      'its pickle calls collections.OrderedDict with 7',
    ],
    ['a dict of numbers', call(dict, [1, 2]), 'a dict is made of 1, not of a pair'],
    ['a tensor of nothing', call(rebuild), 'a tensor is a view of nothing, not of a storage'],
    ['a negative size', tensorOf([-2], '0', { count: 2 }), 'a tensor has the size a list of 1'],
    [
      'a size that is no number',
      call(
        rebuild,
        { persistent: { tuple: ['storage', { global: 'torch FloatStorage' }, '0', 'cpu', 4] } },
        0,
        'abcd',
        { tuple: [] },
      ),
      'a tensor has the size "abcd"',
    ],
    ['sizes without strides', tensorOf([2, 2], '0', { strides: [1] }), '2 sizes and 1 strides'],
    ['a negative offset', tensorOf([2], '0', { offset: -1 }), 'a tensor has the offset -1'],
    [
      'a storage of no class',
      { persistent: { tuple: ['storage', dict, '0', 'cpu', 4] } },
      'not a class of storages',
    ],
    [
      'another reference',
      { persistent: 'file:///etc/passwd' },
      'refers to "file:///etc/passwd", which is no storage',
    ],
    [
      'a count of 2^53',
      { persistent: { tuple: ['storage', { global: 'torch FloatStorage' }, '0', 'cpu', 2 ** 53] } },
      'which is no storage',
    ],
    [
      'attributes of a tensor',
      { raw: [...pickleOf(tensorOf([1], '0')).slice(2, -1), 0x7d, 0x62] },
      'sets attributes of a tensor',
    ],
    ['keys of a list', { raw: [0x5d, 0x4e, 0x4e, 0x73] }, 'sets 2 keys and values of a list of 0'],
    ['an append to a dict', { raw: [0x7d, 0x4e, 0x61] }, 'its pickle appends to a dict of 0'],
    ['a pop of nothing', { raw: [0x30] }, 'its pickle takes too much'],
    ['a pop behind a mark', { raw: [0x4e, 0x28, 0x30] }, 'its pickle takes too much'],
    ['no mark', { raw: [0x74] }, 'its pickle lacks a mark'],
    ['an unknown place', { raw: [0x68, 9] }, 'its pickle recalls 9, unknown'],
    ['values that are left', { raw: [0x4e, 0x4e] }, 'its pickle leaves values'],
    ['an extension registry', { raw: [0x82, 1] }, 'the instruction 0x82, which is not read'],
    ['an instance by text', { raw: [0x69] }, 'the instruction 0x69'],
    ['an out-of-band buffer', { raw: [0x97] }, 'the instruction 0x97'],
    ['an endless integer', { raw: [0x8b, 255, 255, 255, 127] }, 'an integer of 2147483647 bytes'],
    ['an endless text', { raw: [0x58, 255, 255, 255, 255] }, 'its pickle ends early'],
    [
      'a text of 2^64 - 1',
      { raw: [0x8d, ...new Array<number>(8).fill(255)] },
      'its pickle ends early',
    ],
    ['a text that is not UTF-8', { raw: [0x8c, 1, 255] }, 'a text in its pickle is not UTF-8'],
  ])('refuses %s', (_, value, message) => {
    expect(() => read(pickleOf(value))).toThrow(TollamaError);
    expect(() => read(pickleOf(value))).toThrow(message);
  });

  test.each([
    ['nothing', '', 'its pickle ends early'],
    ['protocol 0', '4e2e', 'its pickle is of a protocol below 2'],
    ['protocol 9', '80094e2e', 'its pickle is of protocol 9; 2 to 5 are read'],
    ['no end', '80024e', 'its pickle ends early'],
    ['more after the end', '80024e2e00', 'bytes follow the end of its pickle'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => read(hex(bytes))).toThrow(message);
  });

  test('refuses to copy a list again and again', () => {
    const list = [0x5d, 0x28, ...new Array<number>(1000).fill(0x4e), 0x65, 0x71, 0];
    const set = [0x63, ...Buffer.from('builtins\nset\n'), 0x71, 1];
    const copies = new Array(1000).fill([0x68, 1, 0x68, 0, 0x85, 0x52, 0x30]).flat();
    const bomb = pickleOf({ raw: [...list, ...set, ...copies, 0x30] });
    expect(() => read(bomb)).toThrow('its pickle copies more than it holds');
  });

  test('a deep nest is no danger', () => {
    const depth = 100_000;
    const raw = [
      ...new Array<number>(depth).fill(0x5d),
      ...new Array<number>(depth - 1).fill(0x61),
    ];
    expect(read(pickleOf({ raw }))).toHaveLength(1);
  });

  const anyBytes = fc.uint8Array({ maxLength: 60 });
  test.prop([anyBytes], { numRuns: 2000 })('of any bytes refuses or gives data', (bytes) => {
    try {
      read(Uint8Array.from([0x80, 2, ...bytes]));
    } catch (error) {
      expect(error).toBeInstanceOf(TollamaError);
    }
  });
});
