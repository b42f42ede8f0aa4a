import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { packTokens } from './tokens.ts';
import {
  forecastWindow,
  historyOf,
  imputeCausalMean,
  imputeZero,
  trackOf,
  validationWindow,
} from './windows.ts';

const n = Number.NaN;

describe('imputation', () => {
  test('causal mean fills from the values before, and the start from the first value', () => {
    const { values, observed } = trackOf([n, n, 3, n, 5, n, n, 8], imputeCausalMean);
    expect(Array.from(values, (value) => +value.toFixed(4))).toEqual([
      3, 3, 3, 3, 5, 3.4, 3.6667, 8,
    ]);
    expect(Array.from(observed)).toEqual([0, 0, 1, 0, 1, 0, 0, 1]);
    expect(Array.from(trackOf([n, n], imputeCausalMean).values)).toEqual([0, 0]);
  });

  test.prop([fc.array(fc.oneof(fc.double({ min: -9, max: 9, noNaN: true }), fc.constant(n)))])(
    'keeps what was observed and stays within it',
    (raw) => {
      const { values, observed } = trackOf(raw, imputeCausalMean);
      const seen = Array.from(Float32Array.from(raw)).filter((value) => !Number.isNaN(value));
      const [low, high] = [Math.min(...seen), Math.max(...seen)];
      values.forEach((value, t) => {
        if (observed[t]) expect(value).toBe(Math.fround(raw[t]!));
        else if (seen.length > 0) expect(value >= low - 1e-5 && value <= high + 1e-5).toBe(true);
        else expect(value).toBe(0);
      });
    },
  );
});

describe('windows', () => {
  const series = { id: 'a', targets: [[1, 2, 3, 4, 5]] };
  const options = { context: 3, horizon: 2 };

  test('the forecast window ends with the future that is asked for', () => {
    const window = forecastWindow(historyOf(series, imputeZero), options);
    expect(Array.from(window.targets[0]!.values)).toEqual([3, 4, 5, 0, 0]);
    expect(Array.from(window.targets[0]!.observed)).toEqual([1, 1, 1, 1, 1]);
    expect(Array.from(window.isPad)).toEqual([0, 0, 0, 0, 0]);
  });

  test('the validation window takes its future from the history', () => {
    const window = validationWindow(historyOf(series, imputeZero), { context: 4, horizon: 2 });
    expect(Array.from(window.targets[0]!.values)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(Array.from(window.isPad)).toEqual([1, 0, 0, 0, 0, 0]);
  });

  test('the list route pads with the first value and its flag', () => {
    const history = historyOf({ id: 'a', targets: [[7, n]] }, imputeZero);
    const window = forecastWindow(history, { ...options, padding: 'first value' });
    expect(Array.from(window.targets[0]!.values)).toEqual([7, 7, 0, 0, 0]);
    expect(Array.from(window.targets[0]!.observed)).toEqual([1, 1, 0, 1, 1]);
    expect(Array.from(window.isPad)).toEqual([1, 0, 0, 0, 0]);
  });
});

describe('tokens', () => {
  const series = {
    id: 'a',
    targets: [[1, 2]],
    pastCovariates: { promo: [5, 6], past: [8, 9] },
    futureCovariates: { promo: [7, 7, 7] },
  };
  const window = forecastWindow(historyOf(series, imputeZero), { context: 7, horizon: 3 });
  const tokens = packTokens([window], { patch: 4 });

  test('targets come first, then known covariates, then past ones, each past before future', () => {
    expect(Array.from(tokens.variateId)).toEqual([0, 0, 0, 1, 1, 1, 2, 2]);
    expect(Array.from(tokens.isPredicted)).toEqual([0, 0, 1, 0, 0, 0, 0, 0]);
    expect(Array.from(tokens.target.subarray(4, 12))).toEqual([0, 0, 1, 2, 0, 0, 0, 0]);
    expect(Array.from(tokens.target.subarray(20, 24))).toEqual([7, 7, 7, 0]);
    expect(Array.from(tokens.observed.subarray(8, 12))).toEqual([1, 1, 1, 0]);
  });

  test('zeros that align a patch are padding for the target but not for covariates', () => {
    expect(Array.from(tokens.sampleId)).toEqual([0, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('time starts at the first patch with an observed value', () => {
    expect(Array.from(tokens.timeId)).toEqual([0, 0, 1, 0, 0, 1, 0, 0]);
  });
});
