/**
 * Learning-rate schedules as functions of the step alone, so that resuming needs no state of theirs.
 *
 * Sources: torch.optim.lr_scheduler (cosine annealing, warm restarts, OneCycle, step, exponential), transformers
 * (warm-up with cosine and linear decay), torchtitan (warm-up, stable, decay).
 */
import { z } from 'zod';
import { oneCycle } from './one-cycle.ts';
import { warmupStableDecay } from './warmup-stable-decay.ts';

const Steps = z.int().positive();
const Share = z.number().min(0).max(1);

/** What a schedule is made of; the rate at the top of it is given apart. */
export const ScheduleSpec = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant') }),
  z.strictObject({
    kind: z.literal('cosine_annealing'),
    t_max: Steps,
    eta_min: z.number().min(0).default(0),
  }),
  z.strictObject({
    kind: z.literal('cosine_warm_restarts'),
    t_0: Steps,
    t_mult: Steps.default(1),
    eta_min: z.number().min(0).default(0),
  }),
  z.strictObject({
    kind: z.literal('one_cycle'),
    max_lr: z.number().positive(),
    total_steps: Steps,
    pct_start: Share.default(0.3),
    anneal_strategy: z.enum(['cos', 'linear']).default('cos'),
    div_factor: z.number().positive().default(25),
    final_div_factor: z.number().positive().default(1e4),
    three_phase: z.boolean().default(false),
    base_momentum: z.number().default(0.85),
    max_momentum: z.number().default(0.95),
  }),
  z.strictObject({
    kind: z.literal('warmup_cosine'),
    warmup_steps: z.int().min(0).default(0),
    total_steps: Steps,
    cycles: z.number().positive().default(0.5),
  }),
  z.strictObject({
    kind: z.literal('warmup_linear'),
    warmup_steps: z.int().min(0).default(0),
    total_steps: Steps,
  }),
  z.strictObject({
    kind: z.literal('warmup_stable_decay'),
    warmup_steps: z.int().min(0).default(0),
    total_steps: Steps,
    decay_ratio: Share.nullish(),
    decay: z.enum(['linear', 'sqrt', 'cosine']).default('linear'),
    min_lr_factor: z.number().min(0).default(0),
  }),
  z.strictObject({ kind: z.literal('step'), step_size: Steps, gamma: z.number().default(0.1) }),
  z.strictObject({ kind: z.literal('exponential'), gamma: z.number() }),
]);
export type ScheduleSpec = z.infer<typeof ScheduleSpec>;
export type ScheduleKind = ScheduleSpec['kind'];

/** What a step runs with. */
export interface ScheduleValue {
  readonly learningRate: number;
  /** Of schedules that turn the momentum against the rate: SGD's momentum, or AdamW's first beta. */
  readonly momentum?: number;
}

type SpecOf<K extends ScheduleKind> = Extract<ScheduleSpec, { kind: K }>;

/** Cosine from `high` to `low` while t goes from 0 to 1; it turns up again beyond. */
const cosine = (high: number, low: number, t: number): number =>
  low + ((high - low) * (1 + Math.cos(Math.PI * t))) / 2;

const warmRestarts = (
  { t_0, t_mult, eta_min }: SpecOf<'cosine_warm_restarts'>,
  base: number,
  step: number,
): number => {
  let length = t_0;
  let into = step;
  while (into >= length) {
    into -= length;
    length *= t_mult;
  }
  return cosine(base, eta_min, into / length);
};

/** Share of the warm-up that lies behind, in transformers' form: the very first step has none. */
const warmup = (step: number, steps: number): number | undefined =>
  step < steps ? step / steps : undefined;

const warmupCosine = (spec: SpecOf<'warmup_cosine'>, step: number): number => {
  const { warmup_steps, total_steps, cycles } = spec;
  const progress = (step - warmup_steps) / Math.max(1, total_steps - warmup_steps);
  return (
    warmup(step, warmup_steps) ?? Math.max(0, (1 + Math.cos(Math.PI * cycles * 2 * progress)) / 2)
  );
};

const warmupLinear = (spec: SpecOf<'warmup_linear'>, step: number): number => {
  const { warmup_steps, total_steps } = spec;
  return (
    warmup(step, warmup_steps) ??
    Math.max(0, (total_steps - step) / Math.max(1, total_steps - warmup_steps))
  );
};

/**
 * The rate (and momentum) of the optimizer step number `step`, which counts from 0.
 *
 * @throws TollamaError INVALID_REQUEST for a step past the end of a OneCycle, which has none
 * @example
 * scheduleAt({ kind: 'step', step_size: 3, gamma: 0.5 }, 1e-3, 4); // { learningRate: 5e-4 }
 */
export const scheduleAt = (spec: ScheduleSpec, base: number, step: number): ScheduleValue => {
  switch (spec.kind) {
    case 'constant':
      return { learningRate: base };
    case 'cosine_annealing':
      return { learningRate: cosine(base, spec.eta_min, step / spec.t_max) };
    case 'cosine_warm_restarts':
      return { learningRate: warmRestarts(spec, base, step) };
    case 'one_cycle':
      return oneCycle(spec, step);
    case 'warmup_cosine':
      return { learningRate: base * warmupCosine(spec, step) };
    case 'warmup_linear':
      return { learningRate: base * warmupLinear(spec, step) };
    case 'warmup_stable_decay':
      return { learningRate: base * warmupStableDecay(spec, step) };
    case 'step':
      return { learningRate: base * spec.gamma ** Math.floor(step / spec.step_size) };
    case 'exponential':
      return { learningRate: base * spec.gamma ** step };
  }
};
