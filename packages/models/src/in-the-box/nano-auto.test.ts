import { afterAll, describe, expect, test } from 'vitest';
import { openBoxed } from './index.ts';

const model = openBoxed('nano-auto', { threads: 1, candidates: () => [12] });
afterAll(() => model[Symbol.asyncDispose]());

const ask = async (
  targets: readonly ArrayLike<number>[],
  options: Record<string, unknown> = {},
  horizon = 4,
) =>
  (
    await model.forecast({
      series: [{ id: 'a', targets }],
      horizon,
      quantiles: [0.1, 0.5, 0.9],
      options,
    })
  ).forecasts[0]!;

const months = Array.from({ length: 96 }, (_, t) => 50 + t / 4 + 9 * Math.sin((Math.PI * t) / 6));

describe('nano-auto', () => {
  test('forecasts a season, and says who weighed what', async () => {
    const { targets, explanation } = await ask([months], {}, 12);
    const expected = 50 + 96 / 4 + 9 * Math.sin((Math.PI * 96) / 6);
    expect(Math.abs(targets[0]!.quantiles[1]![0]! - expected)).toBeLessThan(2);
    expect(explanation).toMatchObject({ model: 'nano-auto', origins: 2 });
  });

  test('rehearses as often as it is asked', async () => {
    expect((await ask([months], { origins: 0 })).explanation).toMatchObject({ origins: 0 });
    await expect(ask([months], { origins: 99 })).rejects.toThrow();
  });

  test.each([
    ['nothing', [Number.NaN], 0],
    ['one value', [3], 3],
    ['a constant', [7, 7, 7, 7], 7],
  ])('%s is repeated', async (_, values, expected) => {
    const { targets } = await ask([values]);
    expect(targets[0]!.mean[0]).toBeCloseTo(expected, 6);
  });

  test('each variate has its own weights; missing ends are crossed', async () => {
    const { targets } = await ask([months, [...months.slice(0, 90), Number.NaN]]);
    expect(targets).toHaveLength(2);
    expect(targets[1]!.quantiles).toHaveLength(3);
    expect(targets[1]!.quantiles.every((row) => row.length === 4)).toBe(true);
  });
});
