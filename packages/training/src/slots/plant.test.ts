import {
  affine,
  concat,
  defineGraph,
  type Graph,
  input,
  mean,
  mul,
  parameter,
  reaches,
  relu,
  sub,
  type Tensor,
  type TensorValue,
} from '@tollama/graph';
import { tensorOf } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { openTrainingStep } from '../step/open-training-step.ts';
import { linearSlots } from './linear-slots.ts';
import { matchModules } from './match-modules.ts';
import { firstValues, plantSeeds, type Seed } from './plant.ts';
import { savedName } from './seed.ts';

const weight = (name: string, ...shape: number[]): Tensor => parameter(name, shape, 'float32');

/** Two layers, of which the second is used twice. */
const host = (): Graph => {
  const [x, y] = [input('x', ['batch', 4]), input('y', ['batch', 3])];
  const first = relu(affine(x, weight('body.q.weight', 6, 4), weight('body.q.bias', 6)));
  const [w, b] = [weight('head.v.weight', 3, 6), weight('head.v.bias', 3)];
  const error = sub(sub(affine(first, w, b), mul(affine(mul(first, first), w, b), 0.5)), y);
  return defineGraph('host', [x, y], { loss: mean(mul(error, error), [0, 1]) });
};

const waves = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(2.1 * i + phase));

const HOST_VALUES: ReadonlyMap<string, TensorValue> = new Map([
  ['body.q.weight', tensorOf([6, 4], waves(24, 0))],
  ['body.q.bias', tensorOf([6], waves(6, 1))],
  ['head.v.weight', tensorOf([3, 6], waves(18, 2))],
  ['head.v.bias', tensorOf([3], waves(3, 3))],
]);

const BATCH = { x: tensorOf([5, 4], waves(20, 4)), y: tensorOf([5, 3], waves(15, 5)) };

const uniform = (): (() => number) => {
  let i = 0;
  return () => (Math.sin(i++) + 1) / 2;
};

/** Values that are not those of a fresh seed. */
const grown = (values: ReadonlyMap<string, TensorValue>): ReadonlyMap<string, TensorValue> =>
  new Map(
    [...values].map(([name, { dims, data }], i) => [
      name,
      tensorOf(dims, waves(data.length, i + 6)),
    ]),
  );

const lora = (options: Partial<Seed> = {}): Seed => ({
  id: 'a',
  blueprint: { kind: 'lora', rank: 2, scaling: 0.7 },
  targets: ['q', 'v'],
  ...options,
});

const gradientsWith = async (seeds: readonly Seed[], alpha = 1, isFresh = false) => {
  const planted = plantSeeds(host(), seeds);
  const tensors = planted.seeds.flatMap((seed) => seed.tensors);
  const values = firstValues(tensors, uniform());
  await using step = await openTrainingStep({
    graph: planted.graph,
    trainable: new Map([...HOST_VALUES, ...(isFresh ? values : grown(values))]),
    optimizer: { kind: 'adamw' },
    threads: 1,
  });
  return await step.gradients(BATCH, { alpha });
};

const hostPart = (gradients: ReadonlyMap<string, TensorValue>) =>
  [...HOST_VALUES.keys()].map((name) => Array.from(gradients.get(name)!.data, Number));

const norm = (value: TensorValue | undefined): number =>
  Math.hypot(...Array.from(value?.data ?? [], Number));

test('a seed in TRAINING leaves the loss and the gradients of its host as they are, bit for bit', async () => {
  const alone = await gradientsWith([]);
  for (const kind of ['lora', 'bottleneck', 'head'] as const) {
    const blueprint = { kind, rank: 2, scaling: 0.7, width: 3 } as Seed['blueprint'];
    const training = await gradientsWith([lora({ blueprint, path: 'straight-through' })]);
    expect(training.loss).toBe(alone.loss);
    expect(hostPart(training.gradients)).toEqual(hostPart(alone.gradients));
    const own = [...training.gradients].filter(([name]) => !HOST_VALUES.has(name));
    expect(own.every(([, value]) => norm(value) > 0)).toBe(true);
  }
});

test('the structure tells whether a path leads through a seed', () => {
  const leads = (isIsolated: boolean): boolean => {
    const { graph } = plantSeeds(host(), [lora({ targets: ['v'], isIsolated })]);
    const named = (part: string) =>
      graph.nodes.find((x) => x.kind === 'parameter' && x.name.includes(part))!;
    expect(reaches(graph.outputs.get('loss')!, named('lora_A'))).toBe(true);
    const change = graph.nodes.find((x) => x.kind === 'linear' && reaches(x, named('lora_A')))!;
    return reaches(change, named('body.q.weight'));
  };
  expect([leads(true), leads(false)]).toEqual([false, true]);
});

test('a fresh seed changes no bit, and its first factor gets no gradient', async () => {
  const alone = await gradientsWith([]);
  const fresh = await gradientsWith([lora()], 1, true);
  expect(fresh.loss).toBe(alone.loss);
  const [a, b] = ['lora_A', 'lora_B'].map((part) =>
    fresh.gradients.get(`base_model.model.body.q.${part}.a.weight`),
  );
  expect(norm(a)).toBe(0);
  expect(norm(b)).toBeGreaterThan(0);
});

test('alpha scales what a seed adds: 0 is the host, convex and residual agree in value', async () => {
  const alone = await gradientsWith([]);
  const residual = lora({ hasAlpha: true });
  const convex = lora({ hasAlpha: true, path: 'convex' });
  expect((await gradientsWith([residual], 0)).loss).toBe(alone.loss);
  const [half, other] = [await gradientsWith([residual], 0.5), await gradientsWith([convex], 0.5)];
  expect(half.loss).not.toBe(alone.loss);
  expect(other.loss).toBeCloseTo(half.loss, 5);
  const twice = [residual, lora({ id: 'b', hasAlpha: true, targets: ['q'] })];
  const both = plantSeeds(host(), twice).graph.inputs.map(({ name }) => name);
  expect(both).toEqual(['x', 'y', 'alpha.a', 'alpha.b']);
});

test('an isolated convex seed at alpha 1 cuts its host off', async () => {
  const seed = lora({ targets: ['q'], hasAlpha: true, path: 'convex', isIsolated: true });
  const { gradients } = await gradientsWith([seed], 1);
  expect(norm(gradients.get('body.q.weight'))).toBe(0);
  expect(norm(gradients.get('head.v.weight'))).toBeGreaterThan(0);
});

/** A weight that is joined with another before its product. */
const fused = (): Graph => {
  const x = input('x', ['batch', 4]);
  const w = concat([weight('q.weight', 2, 4), weight('k.weight', 2, 4)], 0);
  return defineGraph('fused', [x], { loss: mean(affine(x, w), [0, 1]) });
};

test('a weight that is joined with others is changed itself', () => {
  expect(linearSlots(fused()).map(({ module, isDirect }) => [module, isDirect])).toEqual([
    ['q', false],
    ['k', false],
  ]);
  const { graph, seeds } = plantSeeds(fused(), [lora({ targets: ['q'] })]);
  expect(graph.nodes.some((x) => x.kind === 'matmul')).toBe(true);
  expect(seeds[0]!.tensors.map(({ shape }) => shape)).toEqual([
    [2, 4],
    [2, 2],
  ]);
  const bottleneck = lora({ targets: ['q'], blueprint: { kind: 'bottleneck', width: 2 } });
  expect(() => plantSeeds(fused(), [bottleneck])).toThrow("'q' is joined with other weights");
});

test('targets follow the rules of PEFT', () => {
  const modules = ['a.q', 'a.v', 'a.qv', 'head'];
  expect(matchModules(modules, ['q', 'a.v'])).toEqual(['a.q', 'a.v']);
  expect(matchModules(modules, 'a\\.[qv]+', ['qv'])).toEqual(['a.q', 'a.v']);
  expect(matchModules(modules, 'all-linear', 'head')).toEqual(['a.q', 'a.v', 'a.qv']);
  expect(() => matchModules(modules, ['k'])).toThrow("no linear layer is named 'k'");
  expect(() => matchModules(modules, '(')).toThrow('is no regular expression');
  expect(savedName('base_model.model.a.q.lora_A.x.weight', 'x')).toBe(
    'base_model.model.a.q.lora_A.weight',
  );
});
