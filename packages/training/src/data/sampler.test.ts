import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RandomStream } from './random-stream.ts';
import { WindowSampler } from './sampler.ts';
import { cutWindows, planWindows } from './windows.ts';

const seriesOf = (...lengths: number[]) =>
  lengths.map((length, i) => ({
    id: `s${i}`,
    values: Float32Array.from({ length }, (_, t) => 100 * i + t),
  }));

const OPTIONS = { context: 4, horizon: 2, shortestContext: 2, validationWindows: 1 };

test('random numbers are those of xoshiro128**, from its state', () => {
  const stream = RandomStream.from([1, 2, 3, 4]);
  // From the reference implementation in C with s = {1, 2, 3, 4}.
  expect([stream.word(), stream.word(), stream.word()]).toEqual([11520, 0, 5927040]);
});

test('a stream goes on from its saved state', () => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(50), (seed, skipped) => {
      const stream = RandomStream.of(seed);
      for (let i = 0; i < skipped; i++) stream.word();
      const copy = RandomStream.from(stream.state());
      expect(Array.from({ length: 5 }, () => copy.uniform())).toEqual(
        Array.from({ length: 5 }, () => stream.uniform()),
      );
    }),
  );
});

test('training never sees a label of the validation', () => {
  const plan = planWindows(seriesOf(10, 5, 7), OPTIONS);
  // 10 points: labels 2-3 to 6-7 train, 8-9 validate; 5 points: none trains.
  expect(plan.ranges).toEqual([
    { series: 0, first: 2, count: 5 },
    { series: 2, first: 2, count: 2 },
  ]);
  expect(plan.validation).toEqual([
    { series: 0, start: 8 },
    { series: 1, start: 3 },
    { series: 2, start: 5 },
  ]);
  const sampler = new WindowSampler(plan, 1);
  for (const { series, start } of sampler.draw(500)) {
    expect(start + 2).toBeLessThanOrEqual(plan.series[series]!.values.length - 2);
  }
});

test('every window comes up, and a saved sampler draws what the first would have drawn', () => {
  const plan = planWindows(seriesOf(10, 7), OPTIONS);
  const sampler = new WindowSampler(plan, 7);
  const drawn = sampler.draw(200).map(({ series, start }) => `${series}:${start}`);
  expect(new Set(drawn).size).toBe(plan.count);
  const saved = sampler.state();
  const other = new WindowSampler(plan, 0);
  other.load(JSON.parse(JSON.stringify(saved)));
  expect(other.draw(20)).toEqual(sampler.draw(20));
  expect(other.drawn).toBe(220);
});

test('windows are padded on the left', () => {
  const plan = planWindows(seriesOf(10), OPTIONS);
  const { contexts, labels } = cutWindows(plan, [
    { series: 0, start: 2 },
    { series: 0, start: 6 },
  ]);
  expect([...contexts]).toEqual([Number.NaN, Number.NaN, 0, 1, 2, 3, 4, 5]);
  expect([...labels]).toEqual([2, 3, 6, 7]);
});

test('series that are all too short are refused with what is needed', () => {
  expect(() => planWindows(seriesOf(5), OPTIONS)).toThrow(
    'the longest of 1 series has 5 points; training with horizon 2 needs 6',
  );
});
