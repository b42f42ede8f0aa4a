import { describe, expect, test } from 'vitest';
import type { Task } from '../family.ts';
import { type EnsembleMember, forecastEnsemble } from './ensemble.ts';
import { readRecipe } from './recipe.ts';

const task: Task = {
  series: [{ id: 'a', targets: [[1, 2, 3]] }],
  horizon: 2,
  quantiles: [0.25, 0.5],
  options: {},
};
const levels = { quantile_levels: [0.25, 0.5, 0.75] };

/** Says `level` +- `width`, whatever it is asked. */
const member = (name: string, level: number, width: number): EnsembleMember => ({
  name,
  forecast: ({ horizon, quantiles }) => {
    const row = (shift: number) => new Float64Array(horizon).fill(level + shift);
    const rows = quantiles.map((q) => row(4 * width * (q - 0.5)));
    return Promise.resolve({
      forecasts: [{ targets: [{ mean: row(0), quantiles: rows }] }],
      warnings: name === 'b' ? ['a warning'] : [],
    });
  },
});

const failing: EnsembleMember = {
  name: 'broken',
  forecast: () => Promise.reject(new Error('out of memory')),
};

const pointwise: EnsembleMember = {
  name: 'points',
  forecast: () =>
    Promise.resolve({ forecasts: [{ targets: [{ mean: [1, 1], quantiles: [] }] }], warnings: [] }),
};

const combined = async (
  members: readonly EnsembleMember[],
  keys: Readonly<Record<string, unknown>>,
) => {
  const { forecasts, warnings } = await forecastEnsemble(members, readRecipe(keys), task);
  const [target] = forecasts[0]!.targets;
  return {
    mean: Array.from(target!.mean),
    low: Array.from(target!.quantiles[0]!),
    explanation: forecasts[0]!.explanation,
    warnings,
  };
};

describe('an ensemble', () => {
  const three = [member('a', 0, 1), member('b', 1, 1), member('c', 5, 1)];

  test('combines its members, and passes on their warnings', async () => {
    const median = await combined(three, { ...levels, aggregation_method: 'vincent' });
    expect(median).toMatchObject({ mean: [1, 1], low: [0, 0], warnings: ['b: a warning'] });
    const mean = await combined(three, {
      ...levels,
      aggregation_method: 'vincent',
      average: 'mean',
    });
    expect(mean).toMatchObject({ mean: [2, 2], low: [1, 1] });
    const pool = await combined(three, levels);
    expect(pool).toMatchObject({
      mean: [1, 1],
      explanation: { method: 'linear_pool', members: ['a', 'b', 'c'] },
    });
  });

  test('leaves out members that fail or give no quantiles', async () => {
    const { mean, warnings } = await combined([failing, three[0]!, pointwise, three[0]!], levels);
    expect(mean).toEqual([0, 0]);
    expect(warnings).toEqual([
      'broken is left out: out of memory',
      'points is left out: it gives no quantiles',
    ]);
  });

  test('spreads the weights of members that are left out over the others', async () => {
    const recipe = {
      ...levels,
      aggregation_method: 'vincent',
      average: 'mean',
      weights: [0.25, 0.5, 0.25, 0],
    };
    const { mean } = await combined([three[0]!, failing, three[2]!, three[1]!], recipe);
    expect(mean).toEqual([2.5, 2.5]);
  });

  test('raises a cap that too few members cannot keep', async () => {
    const recipe = { ...levels, aggregation_method: 'iqr_weighted' };
    const { mean } = await combined([failing, failing, three[0]!, three[2]!], recipe);
    expect(mean).toEqual([2.5, 2.5]);
  });

  test('without any voice is an error', async () => {
    await expect(combined([failing, pointwise], levels)).rejects.toThrow(
      'no member of the ensemble gives a forecast: broken is left out: out of memory',
    );
  });
});

describe('a recipe', () => {
  test('is the default one without keys', () => {
    const { members, aggregation_method, iqr_weighted_options } = readRecipe({});
    expect(members.map((one) => one.forecaster_type)).toEqual([
      'patchtst',
      'patchtst',
      'flowstate',
      'ttm',
    ]);
    expect(aggregation_method).toBe('linear_pool');
    expect(iqr_weighted_options).toEqual({ temperature: 0.5, max_weight: 0.4 });
  });

  test.each([
    [{ aggregation_method: 'stacking' }, 'aggregation_method = "stacking"'],
    [{ quantile_levels: [0.1, 0.9] }, 'quantile_levels = [0.1,0.9]'],
    [{ quantile_levels: [0.5, 0.1] }, 'must ascend'],
    [{ weights: [1] }, 'must be 4 numbers of sum 1'],
    [{ weights: [0.5, 0.5, 0.5, 0.5] }, 'must be 4 numbers of sum 1'],
    [
      { aggregation_method: 'iqr_weighted', iqr_weighted_options: { max_weight: 0.1 } },
      'iqr_weighted_options.max_weight = 0.1',
    ],
    [{ iqr_weighted_options: { temperature: 0 } }, 'iqr_weighted_options.temperature = 0'],
    [
      {
        members: [{ forecaster_type: 'ttm', model_checkpoint: 'x', model_revision: 'main' }],
      },
      'model_revision',
    ],
  ])('refuses %j', (keys, message) => {
    expect(() => readRecipe(keys)).toThrow(message);
  });
});
