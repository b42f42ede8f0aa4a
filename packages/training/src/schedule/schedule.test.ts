import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ScheduleSpec, scheduleAt } from './schedule.ts';

const ratesOf = (spec: unknown, steps: number): number[] => {
  const parsed = ScheduleSpec.parse(spec);
  return Array.from({ length: steps }, (_, step) => scheduleAt(parsed, 1, step).learningRate);
};

test('a warm-up of transformers starts at nothing, one of torchtitan at its first share', () => {
  expect(ratesOf({ kind: 'warmup_linear', warmup_steps: 2, total_steps: 4 }, 5)).toEqual([
    0, 0.5, 1, 0.5, 0,
  ]);
  expect(ratesOf({ kind: 'warmup_stable_decay', warmup_steps: 2, total_steps: 4 }, 4)).toEqual([
    0.5, 1, 1, 0.5,
  ]);
});

test('a decay ratio rounds half to even, as Python does', () => {
  const spec = { kind: 'warmup_stable_decay', total_steps: 5, decay_ratio: 0.5 };
  expect(ratesOf(spec, 5)).toEqual([1, 1, 1, 1, 0.5]);
});

test('a step past the end of a OneCycle is refused by its number', () => {
  const spec = ScheduleSpec.parse({ kind: 'one_cycle', max_lr: 1, total_steps: 4 });
  expect(() => scheduleAt(spec, 1, 4)).toThrow('step 4 lies past the end of a one_cycle schedule');
});

test('no schedule leaves the range from 0 to its highest rate', () => {
  const steps = fc.integer({ min: 2, max: 60 });
  const shared = { total_steps: steps, warmup_steps: fc.integer({ min: 0, max: 30 }) };
  const specs = fc.oneof(
    fc.record({ kind: fc.constant('warmup_cosine'), ...shared }),
    fc.record({ kind: fc.constant('warmup_linear'), ...shared }),
    fc.record({
      kind: fc.constant('warmup_stable_decay'),
      ...shared,
      decay: fc.constantFrom('linear', 'sqrt', 'cosine'),
      decay_ratio: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ kind: fc.constant('cosine_annealing'), t_max: steps }),
    fc.record({ kind: fc.constant('cosine_warm_restarts'), t_0: steps, t_mult: fc.constant(2) }),
    fc.record({
      kind: fc.constant('one_cycle'),
      max_lr: fc.constant(1),
      total_steps: fc.constant(60),
      three_phase: fc.boolean(),
      anneal_strategy: fc.constantFrom('cos', 'linear'),
    }),
  );
  fc.assert(
    fc.property(specs, fc.integer({ min: 0, max: 59 }), (spec, step) => {
      const rate = ratesOf(spec, step + 1).at(-1)!;
      expect(rate).toBeGreaterThanOrEqual(-1e-12);
      expect(rate).toBeLessThanOrEqual(1 + 1e-12);
    }),
  );
});
