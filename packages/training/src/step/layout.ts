/**
 * Where trainable tensors lie: tensors that are updated alike lie one after the other in one flat array, so that
 * an update is a dozen operators, whatever the number of tensors, and a snapshot one copy an array.
 */
import type { AdamWOptions, MuonOptions, OptimizerOptions, SgdOptions } from './optimizer.ts';

/** How a group is updated; `rest` tensors have no path to the loss and stay as they are. */
export type GroupRule = AdamWOptions | SgdOptions | MuonOptions | { readonly kind: 'rest' };

export interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements before it. */
  readonly start: number;
  readonly end: number;
}

export interface Group {
  /** Prefix of the group's inputs and outputs. */
  readonly name: string;
  readonly rule: GroupRule;
  readonly weightDecay: number;
  /** The group's learning rate as a share of the step's. */
  readonly rate: number;
  /** Who shares a count of steps, where it is not the training's own. */
  readonly cohort?: string;
  /** Names of its moments. */
  readonly moments: readonly string[];
  readonly places: readonly Place[];
  readonly size: number;
}

export interface TensorToPlace {
  readonly name: string;
  readonly shape: readonly number[];
  /** Whether the loss follows it. */
  readonly isReached: boolean;
  readonly isDecayed: boolean;
  /** Tensors that came into the training together, after its beginning. */
  readonly cohort?: string | undefined;
}

const elements = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

const momentsOf = (rule: GroupRule): readonly string[] => {
  switch (rule.kind) {
    case 'adamw':
      return ['exp_avg', 'exp_avg_sq', ...(rule.amsgrad ? ['max_exp_avg_sq'] : [])];
    case 'sgd':
      return rule.momentum ? ['momentum_buffer'] : [];
    case 'muon':
      return ['momentum_buffer'];
    case 'rest':
      return [];
  }
};

const DEFAULT_DECAY = { adamw: 0.01, muon: 0.01, sgd: 0, rest: 0 } as const;

interface Choice {
  readonly rule: GroupRule;
  readonly rate: number;
}

const choose = (tensor: TensorToPlace, optimizer: OptimizerOptions): Choice => {
  if (!tensor.isReached) return { rule: { kind: 'rest' }, rate: 1 };
  if (optimizer.kind !== 'muon') return { rule: optimizer, rate: 1 };
  const isMatrix = tensor.shape.length === 2 && (optimizer.isMatrix?.(tensor.name) ?? true);
  if (isMatrix) return { rule: optimizer, rate: 1 };
  const { rate = 1, ...others } = optimizer.others ?? {};
  return { rule: { kind: 'adamw', ...others }, rate };
};

/** Matrices of one shape beside each other, so that Muon treats them as one batch. */
const byShape = (tensors: readonly TensorToPlace[]): readonly TensorToPlace[] =>
  [...Map.groupBy(tensors, ({ shape }) => shape.join('x')).values()].flat();

const placed = (tensors: readonly TensorToPlace[]): readonly Place[] => {
  let start = 0;
  return tensors.map(({ name, shape }) => {
    const end = start + elements(shape);
    const place = { name, shape, start, end };
    start = end;
    return place;
  });
};

/** The groups of all trainable tensors; empty ones are left out. */
export const layOut = (
  tensors: readonly TensorToPlace[],
  optimizer: OptimizerOptions,
): readonly Group[] => {
  const chosen = tensors.map((tensor) => ({ tensor, ...choose(tensor, optimizer) }));
  const groups = Map.groupBy(
    chosen,
    ({ tensor: { isReached, isDecayed, cohort }, rule }) =>
      `${rule.kind}${isReached && !isDecayed ? '-plain' : ''}${isReached && cohort ? `-${cohort}` : ''}`,
  );
  return [...groups].map(([name, members]): Group => {
    const { rule, rate, tensor } = members[0]!;
    const own = members.map((member) => member.tensor);
    const places = placed(rule.kind === 'muon' ? byShape(own) : own);
    const told = rule.kind === 'rest' ? undefined : rule.weightDecay;
    const weightDecay = tensor.isDecayed ? (told ?? DEFAULT_DECAY[rule.kind]) : 0;
    const size = places.at(-1)!.end;
    return {
      ...{ name, rule, rate, weightDecay, moments: momentsOf(rule), places, size },
      ...(tensor.cohort !== undefined && { cohort: tensor.cohort }),
    };
  });
};
