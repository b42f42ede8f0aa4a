/** Golden cases of optimizers and clipping, each run as the graph that a training step runs. */
import {
  add,
  defineGraph,
  mul,
  parameter,
  reshape,
  sum,
  type Tensor,
  type TensorValue,
} from '@tollama/graph';
import { type OptimizerOptions, openTrainingStep } from '@tollama/training';
import { clipFactor, globalNorm } from '@tollama/training/step/clip';
import { type GoldenTensor, inputFor, runOnce, toValue } from './tensors.ts';

type Fields = Readonly<Record<string, unknown>>;
type Operation = (input: Fields) => Promise<Fields>;

interface Run {
  readonly params: readonly GoldenTensor[];
  readonly grads: readonly (readonly GoldenTensor[])[];
  readonly lr: number | readonly number[];
}

const nameOf = (i: number): string => `p${i}`;

/** The loss whose gradient is what is fed: sum(p g). */
const graphFor = (params: readonly GoldenTensor[]) => {
  const gradients = params.map((value, i) => inputFor(`g${i}`, value));
  const terms = params.map(({ shape }, i) => {
    const product = mul(parameter(nameOf(i), shape, 'float32'), gradients[i]!);
    return sum(reshape(product, [shape.reduce((a, b) => a * b, 1)]), 0);
  });
  return defineGraph('optimizer', gradients, { loss: terms.reduce(add) });
};

const optimize = async (run: Run, optimizer: OptimizerOptions): Promise<Fields> => {
  const { params, grads, lr } = run;
  await using step = await openTrainingStep({
    graph: graphFor(params),
    trainable: new Map(params.map((value, i) => [nameOf(i), toValue(value)])),
    optimizer,
    threads: 1,
  });
  const golden = (values: ReadonlyMap<string, TensorValue>, prefix = '') =>
    params.map(({ shape }, i) => {
      const value = values.get(`${prefix}${nameOf(i)}`);
      return value && { shape, data: Array.from(value.data, Number) };
    });
  const after = [];
  for (const [k, gradients] of grads.entries()) {
    const feeds = gradients.map((value, i) => [`g${i}`, toValue(value)] as const);
    const learningRate = typeof lr === 'number' ? lr : lr[k]!;
    (await step.run(Object.fromEntries(feeds), { learningRate })).commit();
    after.push(golden(step.state().parameters));
  }
  const { moments } = step.state();
  const of = (moment: string) => golden(moments, `${moment}.`);
  return {
    params_after_each_step: after,
    exp_avg: of('exp_avg'),
    exp_avg_sq: of('exp_avg_sq'),
    max_exp_avg_sq: of('max_exp_avg_sq'),
    momentum_buffer: of('momentum_buffer'),
  };
};

const adamw: Operation = (given) => {
  const { betas, eps, weight_decay, amsgrad, maximize } = given as {
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
    readonly amsgrad: boolean;
    readonly maximize: boolean;
  };
  const options = { betas, epsilon: eps, weightDecay: weight_decay, amsgrad, maximize };
  return optimize(given as unknown as Run, { kind: 'adamw', ...options });
};

const sgd: Operation = (given) => {
  const { momentum, dampening, nesterov, weight_decay } = given as {
    readonly momentum: number;
    readonly dampening: number;
    readonly nesterov: boolean;
    readonly weight_decay: number;
  };
  const options = { momentum, dampening, nesterov, weightDecay: weight_decay };
  return optimize(given as unknown as Run, { kind: 'sgd', ...options });
};

const clipGradNorm: Operation = async (given) => {
  const { grads, max_norm, norm_type } = given as {
    readonly grads: readonly GoldenTensor[];
    readonly max_norm: number;
    readonly norm_type: 1 | 2 | 'inf';
  };
  const nodes = grads.map((value, i) => inputFor(`g${i}`, value));
  const values = new Map<Tensor, TensorValue>(nodes.map((x, i) => [x, toValue(grads[i]!)]));
  const norm = globalNorm(nodes, norm_type);
  const factor = clipFactor(norm, max_norm);
  const clipped = Object.fromEntries(nodes.map((x, i) => [`g${i}'`, mul(x, factor)]));
  const results = await runOnce(values, { norm, factor, ...clipped });
  const [total, coefficient] = [results.norm!.data[0]!, results.factor!.data[0]!];
  if (!Number.isFinite(total)) return { total_norm: null, finite: false, clip_coef: null };
  return {
    total_norm: total,
    finite: true,
    clip_coef: coefficient,
    grads: nodes.map((_, i) => results[`g${i}'`]),
  };
};

export const optimizerOps: Readonly<Record<string, Operation>> = {
  adamw,
  sgd,
  clip_grad_norm: clipGradNorm,
};
