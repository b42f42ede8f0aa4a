/** Golden cases of derivatives: operators, losses, LoRA, blending, isolation. */
import {
  add,
  affine,
  constant,
  defineGraph,
  gelu,
  gradient,
  input,
  matmul,
  mean,
  mul,
  parameter,
  pullBack,
  reaches,
  rearrange,
  stopGradient,
  sub,
  type Tensor,
  type TensorValue,
  tanh,
} from '@tollama/graph';
import { tensorOf } from '@tollama/graph/testing/run-graph';
import {
  type BlendKind,
  blend,
  huberLoss,
  meanAbsoluteError,
  meanSquaredError,
  openTrainingStep,
  pinballLoss,
} from '@tollama/training';
import { seedChange } from '@tollama/training/slots/seed';
import { ONNX_WORDS } from './onnx-words.ts';
import { type GoldenTensor, inputFor, runOnce, toValue } from './tensors.ts';

type Fields = Readonly<Record<string, unknown>>;
type Operation = (input: Fields) => Promise<Fields>;

const isTensor = (value: unknown): value is GoldenTensor =>
  typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;

/** Inputs for all tensors among the fields, by their names. */
const inputsFor = (fields: Fields) => {
  const found = Object.entries(fields).filter((entry): entry is [string, GoldenTensor] =>
    isTensor(entry[1]),
  );
  const nodes = Object.fromEntries(found.map(([name, value]) => [name, inputFor(name, value)]));
  const values = new Map<Tensor, TensorValue>(
    found.map(([name, value]) => [nodes[name]!, toValue(value)]),
  );
  return { nodes, values };
};

const INTEGER_TYPES = { indices: 'int64', condition: 'bool' } as const;

const vjp: Operation = async (given) => {
  const { onnx_op, attributes, inputs, int_inputs, upstream } = given as {
    readonly onnx_op: string;
    readonly attributes: Fields;
    readonly inputs: readonly GoldenTensor[];
    readonly int_inputs: Readonly<Record<string, GoldenTensor>>;
    readonly upstream: GoldenTensor;
  };
  const tensors = inputs.map((value, i) => inputFor(`x${i}`, value));
  const values = new Map(tensors.map((x, i) => [x, toValue(inputs[i]!)]));
  const integers = Object.fromEntries(
    Object.entries(int_inputs).map(([name, { shape, data }]) => {
      const dtype = INTEGER_TYPES[name as keyof typeof INTEGER_TYPES] ?? 'int64';
      const node = input(name, shape, dtype);
      values.set(node, tensorOf(shape, data as readonly number[], dtype));
      return [name, node];
    }),
  );
  const g = inputFor('upstream', upstream);
  values.set(g, toValue(upstream));
  const build = ONNX_WORDS[onnx_op];
  if (!build) throw new Error(`no word for ${onnx_op}`);
  const output = build(tensors, { attributes, integers });
  const gradients = pullBack([{ output, gradient: g }], tensors);
  const named = Object.fromEntries(gradients.map((x, i) => [`grad${i}`, x]));
  const results = await runOnce(values, { output, ...named });
  return { output: results.output, grads: gradients.map((_, i) => results[`grad${i}`]) };
};

const loss: Operation = async (given) => {
  const {
    kind,
    quantiles: levels = [],
    delta,
  } = given as {
    readonly kind: string;
    readonly quantiles?: readonly number[];
    readonly delta?: number;
  };
  const { nodes, values } = inputsFor(given);
  const prediction = nodes.pred!;
  const seen = { target: nodes.target!, mask: nodes.mask! };
  const build: Readonly<Record<string, () => Tensor>> = {
    pinball_mean: () => pinballLoss(prediction, seen, { levels }),
    chronos_bolt: () => pinballLoss(prediction, seen, { levels, form: 'chronos-bolt' }),
    chronos2: () => pinballLoss(prediction, seen, { levels, form: 'chronos-2' }),
    mse: () => meanSquaredError(prediction, seen),
    mae: () => meanAbsoluteError(prediction, seen),
    huber: () => huberLoss(prediction, seen, delta),
  };
  const value = build[kind]!();
  const [grad] = gradient(value, [prediction]);
  const results = await runOnce(values, { loss: value, grad });
  return { loss: results.loss!.data, grad_pred: results.grad };
};

const lora: Operation = async (given) => {
  const { r, lora_alpha, use_rslora, fan_in_fan_out, bias } = given as {
    readonly r: number;
    readonly lora_alpha: number;
    readonly use_rslora: boolean;
    readonly fan_in_fan_out: boolean;
    readonly bias: GoldenTensor | null;
  };
  const { nodes, values } = inputsFor(given);
  const { weight, x, upstream, lora_A, lora_B } = nodes as Record<string, Tensor>;
  const scaling = lora_alpha / (use_rslora ? Math.sqrt(r) : r);
  const turned = (w: Tensor): Tensor => (fan_in_fan_out ? rearrange(w, 'a b -> b a') : w);
  const apply = (w: Tensor): Tensor => affine(x!, turned(w), bias ? nodes.bias : undefined);
  const host = apply(weight!);
  const blueprint = { kind: 'lora', rank: r, scaling } as const;
  const tensors = [lora_A!, lora_B!];
  const slot = { x: x!, y: host, weight: turned(weight!), bias: nodes.bias, alpha: undefined };
  const y = add(host, seedChange(blueprint, { ...slot, tensors }));
  const delta = turned(mul(matmul(lora_B!, lora_A!), scaling));
  const merged = add(weight!, delta);
  const [grad_A, grad_B, grad_x] = pullBack(
    [{ output: y, gradient: upstream! }],
    [lora_A!, lora_B!, x!],
  );
  const outputs = { y, delta, merged, y_merged: apply(merged), unmerged: sub(merged, delta) };
  return { scaling, ...(await runOnce(values, { ...outputs, grad_A, grad_B, grad_x })) };
};

const BLENDS: Readonly<Record<string, BlendKind>> = { ste: 'straight-through' };

const blending: Operation = async (given) => {
  const { kind, alpha, detach_host } = given as {
    readonly kind: string;
    readonly alpha: number;
    readonly detach_host: boolean;
  };
  const { nodes, values } = inputsFor(given);
  const factor = input('alpha', []);
  values.set(factor, tensorOf([], [alpha]));
  const y = blend(BLENDS[kind] ?? (kind as BlendKind), nodes.host!, nodes.seed!, {
    alpha: factor,
    ...(nodes.gate && { gate: nodes.gate }),
    detachHost: detach_host,
  });
  const wrt = [nodes.host!, nodes.seed!, ...(nodes.gate ? [nodes.gate] : [])];
  const [grad_host, grad_seed, grad_gate] = pullBack(
    [{ output: y, gradient: nodes.upstream! }],
    wrt,
  );
  return runOnce(values, { y, grad_host, grad_seed, ...(nodes.gate && { grad_gate }) });
};

const HOST = ['W1', 'b1', 'W2', 'b2'] as const;
const SEED = ['A', 'B'] as const;

interface Isolation {
  readonly stage: string;
  readonly isolate: boolean;
  readonly alpha: number;
}

/** z = gelu(W1 x + b1), a seed z + B tanh(A z) on it, W2 behind: the loss with its gradients. */
const isolated = async (given: Fields, { stage, isolate, alpha }: Isolation): Promise<Fields> => {
  const { nodes, values } = inputsFor(given);
  const n = nodes as Record<string, Tensor>;
  const z = gelu(affine(n.x!, n.W1!, n.b1!));
  const seen = isolate ? stopGradient(z) : z;
  const seed = add(seen, affine(tanh(affine(seen, n.A!)), n.B!));
  const factor = constant(alpha);
  const joined = {
    GERMINATED: () => z,
    TRAINING: () => blend('straight-through', z, seed, { alpha: factor }),
  }[stage];
  const h = joined ? joined() : blend('convex', z, seed, { alpha: factor });
  const error = sub(affine(h, n.W2!, n.b2!), n.target!);
  const value = mean(mul(error, error), [0, 1]);
  const names = [...HOST, ...SEED];
  const tensors = names.map((name) => n[name]!);
  const gradients = Object.fromEntries(gradient(value, tensors).map((g, i) => [names[i]!, g]));
  // The structure says the same as the numbers.
  for (const [i, name] of names.entries()) {
    if (reaches(value, tensors[i]!) !== (gradients[name] !== undefined)) {
      throw new Error(`a path to ${name} is there or not`);
    }
  }
  const { loss: total, ...grads } = await runOnce(values, { loss: value, ...gradients });
  return { loss: total!.data, grads };
};

const isolation: Operation = async (given) => {
  const setting = given as unknown as Isolation;
  const seedless = await isolated(given, { ...setting, stage: 'GERMINATED' });
  const result = await isolated(given, setting);
  if (setting.stage === 'TRAINING') {
    const host = (of: Fields) => HOST.map((name) => (of.grads as Fields)[name]);
    const same =
      JSON.stringify([result.loss, host(result)]) ===
      JSON.stringify([seedless.loss, host(seedless)]);
    if (!same) throw new Error("the host's loss or gradients differ from the seedless run");
  }
  return { ...result, seedless };
};

interface TrainRun {
  readonly init: Readonly<Record<string, GoldenTensor>>;
  readonly x: GoldenTensor;
  readonly y: GoldenTensor;
  readonly quantiles: readonly number[];
  readonly trainable: readonly string[];
  readonly micro_batches: number;
  readonly optimizer: {
    readonly lr: number;
    readonly betas: readonly [number, number];
    readonly eps: number;
    readonly weight_decay: number;
  };
  readonly clip_norm: number;
  readonly schedule: { readonly warm: number; readonly steps: number };
}

/** h = gelu(W1 x + b1 + 2 B A x), out = W2 h + b2 as [batch, levels, horizon], mean pinball. */
const trainRunGraph = ({ init, x, y, quantiles: levels, trainable }: TrainRun) => {
  const frozen = new Map<string, Tensor>();
  const tensor = (name: string): Tensor => {
    const { shape, data } = init[name]!;
    if (trainable.includes(name)) return parameter(name, shape, 'float32');
    const node = constant(data as readonly number[], 'float32', shape);
    frozen.set(name, node);
    return node;
  };
  const [, width, horizon] = [0, x.shape.at(-1)!, y.shape.at(-1)!];
  const [rows, target] = [input('x', ['batch', width]), input('y', ['batch', horizon])];
  const [A, B] = [tensor('A'), tensor('B')];
  const low = mul(affine(affine(rows, A), B), 2);
  const h = gelu(add(affine(rows, tensor('W1'), tensor('b1')), low));
  const out = affine(h, tensor('W2'), tensor('b2'));
  const prediction = rearrange(out, 'b (q h) -> b q h', { q: levels.length });
  const mask = add(mul(target, 0), 1);
  return defineGraph('run', [rows, target], {
    loss: pinballLoss(prediction, { target, mask }, { levels }),
  });
};

const rowsOf = ({ shape, data }: GoldenTensor, step: number, micro: number, of: number) => {
  const [, count, width] = shape as readonly [number, number, number];
  const rows = Array.from({ length: count }, (_, i) => i).filter((i) => i % of === micro);
  const picked = rows.flatMap((row) => {
    const start = (step * count + row) * width;
    return data.slice(start, start + width) as readonly number[];
  });
  return tensorOf([rows.length, width], picked);
};

const trainRun: Operation = async (given) => {
  const run = given as unknown as TrainRun;
  const { optimizer, schedule, micro_batches: micro } = run;
  const trainable = new Map(run.trainable.map((name) => [name, toValue(run.init[name]!)]));
  await using step = await openTrainingStep({
    graph: trainRunGraph(run),
    trainable,
    optimizer: {
      kind: 'adamw',
      betas: optimizer.betas,
      epsilon: optimizer.eps,
      weightDecay: optimizer.weight_decay,
    },
    clipNorm: run.clip_norm,
    threads: 1,
  });
  const [losses, norms, rates] = [[] as number[], [] as number[], [] as number[]];
  for (let k = 0; k < schedule.steps; k++) {
    const { warm, steps } = schedule;
    const share =
      k < warm ? (k + 1) / warm : 0.5 * (1 + Math.cos((Math.PI * (k - warm)) / (steps - warm)));
    const learningRate = optimizer.lr * share;
    const batches = Array.from({ length: micro }, (_, i) => ({
      x: rowsOf(run.x, k, i, micro),
      y: rowsOf(run.y, k, i, micro),
    }));
    const result = await step.run(batches, { learningRate });
    result.commit();
    losses.push(result.loss);
    norms.push(result.gradientNorm);
    rates.push(learningRate);
  }
  const { parameters } = step.state();
  const final = Object.entries(run.init).map(([name, value]) => [
    name,
    parameters.has(name) ? { shape: value.shape, data: [...parameters.get(name)!.data] } : value,
  ]);
  return { loss: losses, grad_norm: norms, lr: rates, final: Object.fromEntries(final) };
};

export const gradientOps: Readonly<Record<string, Operation>> = {
  vjp,
  loss,
  lora,
  blend: blending,
  isolation,
  train_run: trainRun,
};
