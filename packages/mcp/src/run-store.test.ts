import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf, nameIn } from './addresses.ts';
import { RunStore } from './run-store.ts';

const response = {
  model: 'naive',
  forecasts: [],
  metrics: null,
  timing: { model_load_ms: 0, inference_ms: 0, total_ms: 0 },
  explanation: null,
  narrative: null,
  preprocessing: null,
  usage: {},
  warnings: null,
};

test('the oldest forecast makes room', () => {
  const runs = new RunStore(2);
  const ids = [1, 2, 3].map((horizon) => runs.add({ horizon }, response).id);
  expect(runs.list().map(({ id }) => id)).toEqual([ids[2], ids[1]]);
  expect(runs.find(ids[0]!)).toBeUndefined();
});

test('an address leads back to its name', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (name) => {
      fc.pre(name.isWellFormed());
      expect(nameIn('dataset', addressOf('dataset', name))).toBe(name);
    }),
  );
});
