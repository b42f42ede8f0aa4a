import { affine, defineGraph, input, mean, mul, parameter, type TensorValue } from '@tollama/graph';
import { tensorOf } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { linearSlots } from '../slots/linear-slots.ts';
import { plantSeeds, type Seed } from '../slots/plant.ts';
import { openTrainingStep } from '../step/open-training-step.ts';
import { changeOfWeight, conflictsOf } from './gradient-conflict.ts';

const graph = () => {
  const x = input('x', ['batch', 4]);
  const first = affine(x, parameter('q.weight', [3, 4], 'float32'));
  const y = affine(first, parameter('v.weight', [2, 3], 'float32'));
  return defineGraph('host', [x], { loss: mean(mul(y, y), [0, 1]) });
};

const waves = (count: number, phase: number): number[] =>
  Array.from({ length: count }, (_, i) => Math.sin(2.1 * i + phase));

const lora = (id: string, targets: string[]): Seed => ({
  id,
  blueprint: { kind: 'lora', rank: 2, scaling: 0.5 },
  targets,
});

const valuesOf = (id: string, phase: number, sign = 1): [string, TensorValue][] => [
  [`base_model.model.q.lora_A.${id}.weight`, tensorOf([2, 4], waves(8, phase))],
  [
    `base_model.model.q.lora_B.${id}.weight`,
    tensorOf(
      [3, 2],
      waves(6, phase + 1).map((x) => sign * x),
    ),
  ],
];

/** s B A in float64 after a step of h along the gradients. */
const changeAt = (
  id: string,
  values: Map<string, TensorValue>,
  steps: Map<string, TensorValue>,
  h: number,
) => {
  const moved = (part: string) => {
    const name = `base_model.model.q.${part}.${id}.weight`;
    const by = steps.get(name)!.data as Float32Array;
    return Array.from(values.get(name)!.data as Float32Array, (x, i) => x + h * by[i]!);
  };
  const [a, b] = [moved('lora_A'), moved('lora_B')];
  return Array.from({ length: 12 }, (_, at) => {
    const [row, column] = [Math.floor(at / 4), at % 4];
    return 0.5 * (b[row * 2]! * a[column]! + b[row * 2 + 1]! * a[4 + column]!);
  });
};

test('the change of a weight is the slope of s B A along the gradients', () => {
  const [values, gradients] = [new Map(valuesOf('a', 0)), new Map(valuesOf('a', 3))];
  const [slot] = linearSlots(graph());
  const got = changeOfWeight(lora('a', ['q']), slot!, values, gradients)!;
  const [after, before] = [1e-4, -1e-4].map((h) => changeAt('a', values, gradients, h));
  got.forEach((value, i) => {
    expect(value).toBeCloseTo((after![i]! - before![i]!) / 2e-4, 6);
  });
});

test('seeds that do the same agree, seeds that do the opposite conflict', () => {
  const values = new Map([...valuesOf('a', 0), ...valuesOf('b', 0)]);
  const seeds = [lora('a', ['q']), lora('b', ['q'])];
  const same = new Map([...valuesOf('a', 3), ...valuesOf('b', 3)]);
  expect(conflictsOf(graph(), seeds, values, same)[0]!.cosine).toBeCloseTo(1, 6);
  // dB and dA turned round turn the change round.
  const turned = valuesOf('b', 3).map(([name, value]): [string, TensorValue] => [
    name,
    tensorOf(
      value.dims,
      Array.from(value.data as Float32Array, (x) => -x),
    ),
  ]);
  const [conflict] = conflictsOf(graph(), seeds, values, new Map([...valuesOf('a', 3), ...turned]));
  expect(conflict).toMatchObject({ first: 'a', second: 'b' });
  expect(conflict!.cosine).toBeCloseTo(-1, 6);
});

test('seeds of other layers, or that change no weight, have no cosine', () => {
  const values = new Map([...valuesOf('a', 0), ...valuesOf('b', 1)]);
  const apart = [lora('a', ['q']), lora('b', ['v'])];
  expect(conflictsOf(graph(), apart, values, values)).toEqual([]);
  const narrow: Seed = { ...lora('b', ['q']), blueprint: { kind: 'bottleneck', width: 2 } };
  expect(conflictsOf(graph(), [lora('a', ['q']), narrow], values, values)).toEqual([]);
});

test('two seeds of a real step, which begin alike, agree', async () => {
  const seeds = [lora('a', ['q']), lora('b', ['q'])];
  const trainable = new Map([...valuesOf('a', 0), ...valuesOf('b', 0)]);
  const host = new Map([
    ['q.weight', tensorOf([3, 4], waves(12, 2))],
    ['v.weight', tensorOf([2, 3], waves(6, 4))],
  ]);
  await using step = await openTrainingStep({
    graph: plantSeeds(graph(), seeds).graph,
    trainable: new Map([...host, ...trainable]),
    optimizer: { kind: 'adamw' },
    threads: 1,
  });
  const { gradients } = await step.gradients({ x: tensorOf([5, 4], waves(20, 5)) });
  const [pair] = conflictsOf(graph(), seeds, step.state().parameters, gradients);
  expect(pair!.cosine).toBeCloseTo(1, 5);
});
