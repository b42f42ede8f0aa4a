/**
 * The names that a pickle of `torch.save` may look up, and what they make here. There is no other: a pickle
 * that asks for anything else is refused by that name, and what is listed is made by our own few lines.
 */
import type { DType } from '../dtype.ts';
import { describe, isKind, type PickledTensor, type PickleValue } from './pickle-value.ts';
import type { Refuse } from './zip-directory.ts';

/** Makes a value from the arguments of a call. */
type Maker = (args: readonly PickleValue[], refuse: Refuse) => PickleValue;

/** torch's storage classes, by the type of their elements. */
const STORAGES: Readonly<Record<string, DType>> = {
  'torch.FloatStorage': 'float32',
  'torch.DoubleStorage': 'float64',
  'torch.HalfStorage': 'float16',
  'torch.BFloat16Storage': 'bfloat16',
  'torch.LongStorage': 'int64',
  'torch.IntStorage': 'int32',
  'torch.CharStorage': 'int8',
  'torch.ByteStorage': 'uint8',
  'torch.BoolStorage': 'bool',
};

const isCount = (value: PickleValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const countsOf = (value: PickleValue | undefined, what: string, refuse: Refuse): number[] => {
  if (Array.isArray(value) && value.length <= 64 && value.every(isCount)) return value;
  return refuse(`a tensor has the ${what} ${describe(value)}; it must list sizes of 0 or more`);
};

/** (storage, offset, size, strides, requires_grad, hooks) */
const rebuildTensor: Maker = ([storage, offset, size, strides], refuse): PickledTensor => {
  if (!isKind(storage, 'storage')) {
    return refuse(`a tensor is a view of ${describe(storage)}, not of a storage`);
  }
  if (!isCount(offset)) return refuse(`a tensor has the offset ${describe(offset)}`);
  const shape = countsOf(size, 'size', refuse);
  const steps = countsOf(strides, 'strides', refuse);
  if (shape.length !== steps.length) {
    refuse(`a tensor has ${shape.length} sizes and ${steps.length} strides`);
  }
  return { kind: 'tensor', storage, offset, shape, strides: steps };
};

const rebuildParameter: Maker = ([tensor], refuse) =>
  isKind(tensor, 'tensor') ? tensor : refuse(`a parameter is ${describe(tensor)}, not a tensor`);

const elements = (value: PickleValue | undefined, what: string, refuse: Refuse): PickleValue[] => {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : refuse(`${what} is made of ${describe(value)}`);
};

const makeDict: Maker = ([pairs], refuse) =>
  new Map(
    elements(pairs, 'a dict', refuse).map((pair) =>
      Array.isArray(pair) && pair.length === 2
        ? ([pair[0]!, pair[1]!] as const)
        : refuse(`a dict is made of ${describe(pair)}, not of a pair`),
    ),
  );

const makeSet: Maker = ([members], refuse) => new Set(elements(members, 'a set', refuse));

const makeList: Maker = ([members], refuse) => [...elements(members, 'a list', refuse)];

const MAKERS: Readonly<Record<string, Maker>> = {
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': rebuildParameter,
  'torch.Size': makeList,
  'collections.OrderedDict': makeDict,
  'lightning_fabric.utilities.data.AttributeDict': makeDict,
  'lightning.fabric.utilities.data.AttributeDict': makeDict,
  'pytorch_lightning.utilities.parsing.AttributeDict': makeDict,
  '__builtin__.set': makeSet,
  '__builtin__.frozenset': makeSet,
  'builtins.set': makeSet,
  'builtins.frozenset': makeSet,
};

/** Classes whose instances lie among the hyper-parameters of published checkpoints; kept as plain data. */
const DATA_CLASSES = new Set([
  'gluonts.torch.distributions.studentT.StudentTOutput',
  'gluonts.torch.distributions.student_t.StudentTOutput',
  'gluonts.torch.distributions.negative_binomial.NegativeBinomialOutput',
  'gluonts.torch.modules.distribution_output.StudentTOutput',
  'gluonts.torch.modules.loss.NegativeLogLikelihood',
]);

/** Whether a pickle may look the name up. */
export const isKnownGlobal = (name: string): boolean =>
  Object.hasOwn(STORAGES, name) || Object.hasOwn(MAKERS, name) || DATA_CLASSES.has(name);

/** The type of the elements of a storage class, undefined for any other name. */
export const storageType = (name: string): DType | undefined =>
  Object.hasOwn(STORAGES, name) ? STORAGES[name] : undefined;

/** What a call of a known name gives. */
export const construct = (
  name: string,
  args: readonly PickleValue[],
  refuse: Refuse,
): PickleValue => {
  if (DATA_CLASSES.has(name)) return { kind: 'object', className: name, state: null };
  const make = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined;
  return make ? make(args, refuse) : refuse(`${name} is called, which makes nothing here`);
};
