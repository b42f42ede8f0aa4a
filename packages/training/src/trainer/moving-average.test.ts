import type { TensorValue } from '@tollama/graph';
import { expect, test } from 'vitest';
import { MovingAverage } from './moving-average.ts';

const tensors = (values: Readonly<Record<string, number>>): Map<string, TensorValue> =>
  new Map(
    Object.entries(values).map(([name, value]) => [
      name,
      { dtype: 'float32', dims: [1], data: Float32Array.of(value) },
    ]),
  );

test('a tensor that comes later begins as it is, and goes when it goes', () => {
  const average = new MovingAverage(0.5, tensors({ host: 0 }));
  average.update(tensors({ host: 1, seed: 8 }), 1000);
  expect(average.values).toEqual(tensors({ host: 0.5, seed: 8 }));
  average.update(tensors({ host: 1, seed: 4 }), 1001);
  expect(average.values).toEqual(tensors({ host: 0.75, seed: 6 }));
  average.update(tensors({ host: 0.75 }), 1002);
  expect(average.values).toEqual(tensors({ host: 0.75 }));
});
