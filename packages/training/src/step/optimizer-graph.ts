/**
 * The arithmetic of the optimizers on flat tensors. What changes from step to step comes in as scalars, computed
 * in float64 by `scalarsOf`.
 */
import {
  add,
  concat,
  div,
  input,
  matmul,
  maximum,
  mul,
  neg,
  rearrange,
  reshape,
  slice,
  sqrt,
  sub,
  sum,
  type Tensor,
} from '@tollama/graph';
import type { Group } from './layout.ts';
import type { AdamWOptions, MuonOptions, SgdOptions } from './optimizer.ts';
import type { StepSettings as Settings } from './training-step.ts';

/** A group's values before a step, or after it. */
export interface GroupState {
  readonly parameters: Tensor;
  readonly moments: Readonly<Record<string, Tensor>>;
}

type Scalars = Readonly<Record<string, number>>;

const DEFAULT_BETAS = [0.9, 0.999] as const;
const DEFAULT_EPSILON = 1e-8;
const DEFAULT_MUON_MOMENTUM = 0.95;

const adamWScalars = (
  { betas = DEFAULT_BETAS, epsilon = DEFAULT_EPSILON }: AdamWOptions,
  step: number,
  { learningRate: rate, momentum: beta = betas[0] }: StepSettings,
): Scalars => {
  const root = Math.sqrt(1 - betas[1] ** step);
  // p -= rate / (1 - b1^t) m / (sqrt(v) / root + eps), both parts of the fraction times root.
  const size = (rate / (1 - beta ** step)) * root;
  return { size, epsilon: epsilon * root, momentum: beta, rest: 1 - beta };
};

const sgdScalars = (
  { dampening = 0, momentum = 0 }: SgdOptions,
  step: number,
  settings: StepSettings,
): Scalars => ({
  size: settings.learningRate,
  // The first gradient goes into the buffer as it is.
  fresh: step === 1 ? 1 : 1 - dampening,
  momentum: settings.momentum ?? momentum,
});

const muonScalars = (
  { momentum = DEFAULT_MUON_MOMENTUM }: MuonOptions,
  settings: StepSettings,
): Scalars => {
  const beta = settings.momentum ?? momentum;
  return { size: settings.learningRate, momentum: beta, rest: 1 - beta };
};

const SCALARS = {
  adamw: ['size', 'epsilon', 'keep', 'momentum', 'rest'],
  sgd: ['size', 'fresh', 'momentum'],
  muon: ['size', 'keep', 'momentum', 'rest'],
  rest: [],
} as const;

/** Names of the scalar inputs of a group. */
export const scalarNames = ({ name, rule }: Group): readonly string[] =>
  SCALARS[rule.kind].map((scalar) => `${name}.${scalar}`);

type StepSettings = Pick<Settings, 'learningRate' | 'momentum'>;

/** The scalars of step `step`, counted from 1. */
export const scalarsOf = (group: Group, step: number, settings: StepSettings): Scalars => {
  const { rule, name, weightDecay } = group;
  const rate = settings.learningRate * group.rate;
  const own = { ...settings, learningRate: rate };
  const keep = 1 - rate * weightDecay;
  const scalars: Scalars = (() => {
    switch (rule.kind) {
      case 'adamw':
        return { ...adamWScalars(rule, step, own), keep };
      case 'sgd':
        return sgdScalars(rule, step, own);
      case 'muon':
        return { ...muonScalars(rule, own), keep };
      case 'rest':
        return {};
    }
  })();
  return Object.fromEntries(Object.entries(scalars).map(([key, x]) => [`${name}.${key}`, x]));
};

type ScalarInputs = (name: string) => Tensor;

/** p (1 - rate decay), or p itself where nothing decays. */
const decayed = (p: Tensor, { weightDecay }: Group, scalar: ScalarInputs): Tensor =>
  weightDecay === 0 ? p : mul(p, scalar('keep'));

/** spec: m = b1 m + (1-b1) g; v = b2 v + (1-b2) g^2; `factor` is what clipping leaves of the gradient. */
const adamW = (
  { parameters: p, moments }: GroupState,
  g: Tensor,
  factor: Tensor,
  group: Group & { readonly rule: AdamWOptions },
  scalar: ScalarInputs,
): GroupState => {
  const [, beta2] = group.rule.betas ?? DEFAULT_BETAS;
  const signed = group.rule.maximize ? neg(factor) : factor;
  const m = add(mul(moments.exp_avg!, scalar('momentum')), mul(g, mul(signed, scalar('rest'))));
  const clipped = mul(g, factor);
  const v = add(mul(moments.exp_avg_sq!, beta2), mul(mul(clipped, clipped), 1 - beta2));
  const largest = group.rule.amsgrad ? maximum(moments.max_exp_avg_sq!, v) : undefined;
  const change = div(mul(m, scalar('size')), add(sqrt(largest ?? v), scalar('epsilon')));
  return {
    parameters: sub(decayed(p, group, scalar), change),
    moments: { exp_avg: m, exp_avg_sq: v, ...(largest && { max_exp_avg_sq: largest }) },
  };
};

const sgd = (
  { parameters: p, moments }: GroupState,
  g: Tensor,
  factor: Tensor,
  group: Group & { readonly rule: SgdOptions },
  scalar: ScalarInputs,
): GroupState => {
  const { momentum: hasBuffer = 0, nesterov = false } = group.rule;
  const clipped = mul(g, factor);
  const whole = group.weightDecay === 0 ? clipped : add(clipped, mul(p, group.weightDecay));
  if (hasBuffer === 0) return { parameters: sub(p, mul(whole, scalar('size'))), moments: {} };
  const momentum = scalar('momentum');
  const buffer = add(mul(moments.momentum_buffer!, momentum), mul(whole, scalar('fresh')));
  const direction = nesterov ? add(whole, mul(buffer, momentum)) : buffer;
  return {
    parameters: sub(p, mul(direction, scalar('size'))),
    moments: { momentum_buffer: buffer },
  };
};

const NEWTON_SCHULZ = [3.4445, -4.775, 2.0315] as const;
const MUON_EPSILON = 1e-7;

/** Towards the nearest half-orthogonal matrix, each of a batch: x [k, r, c] -> [k, r, c] */
export const orthogonalized = (matrices: Tensor, iterations: number): Tensor => {
  const [a, b, c] = NEWTON_SCHULZ;
  const [, rows, columns] = matrices.shape as readonly number[];
  const isTall = rows! > columns!;
  let x = isTall ? rearrange(matrices, 'k r c -> k c r') : matrices;
  const norm = sqrt(sum(mul(x, x), [1, 2], { keepAxes: true }));
  x = div(x, add(norm, MUON_EPSILON));
  for (let i = 0; i < iterations; i++) {
    const gram = matmul(x, x, { transposeB: true });
    const polynomial = add(mul(gram, b), mul(matmul(gram, gram), c));
    x = add(mul(x, a), matmul(polynomial, x));
  }
  return isTall ? rearrange(x, 'k c r -> k r c') : x;
};

const adjusted = ({ adjust = 'original' }: MuonOptions, rows: number, columns: number): number =>
  adjust === 'original'
    ? Math.sqrt(Math.max(1, rows / columns))
    : 0.2 * Math.sqrt(Math.max(rows, columns));

const muon = (
  { parameters: p, moments }: GroupState,
  g: Tensor,
  factor: Tensor,
  group: Group & { readonly rule: MuonOptions },
  scalar: ScalarInputs,
): GroupState => {
  const { nesterov = true, iterations = 5 } = group.rule;
  const [momentum, fresh] = [scalar('momentum'), mul(mul(g, factor), scalar('rest'))];
  const buffer = add(mul(moments.momentum_buffer!, momentum), fresh);
  const direction = nesterov ? add(mul(buffer, momentum), fresh) : buffer;
  const batches = [...Map.groupBy(group.places, ({ shape }) => shape.join('x')).values()];
  const changes = batches.map((places) => {
    const [rows, columns] = places[0]!.shape as readonly [number, number];
    const part = slice(direction, 0, { start: places[0]!.start, end: places.at(-1)!.end });
    const matrices = reshape(part, [places.length, rows, columns]);
    const whole = mul(orthogonalized(matrices, iterations), adjusted(group.rule, rows, columns));
    return reshape(whole, part.shape);
  });
  const change = changes.length === 1 ? changes[0]! : concat(changes, 0);
  return {
    parameters: sub(decayed(p, group, scalar), mul(change, scalar('size'))),
    moments: { momentum_buffer: buffer },
  };
};

/**
 * A group's state after a step.
 *
 * @param g the flat gradient [size]
 * @param factor what clipping leaves of it, []
 * @param scalar the scalar inputs by the names of `scalarNames`
 */
export const updated = (
  group: Group,
  state: GroupState,
  g: Tensor,
  factor: Tensor,
  scalar: ScalarInputs,
): GroupState => {
  const { rule } = group;
  const own: ScalarInputs = (name) => scalar(`${group.name}.${name}`);
  switch (rule.kind) {
    case 'adamw':
      return adamW(state, g, factor, { ...group, rule }, own);
    case 'sgd':
      return sgd(state, g, factor, { ...group, rule }, own);
    case 'muon':
      return muon(state, g, factor, { ...group, rule }, own);
    case 'rest':
      return state;
  }
};

/** A float32 scalar that is fed to each run. */
export const scalarInput = (name: string): Tensor => input(name, []);
