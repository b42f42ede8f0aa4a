import { expect, test } from 'vitest';
import { plainNumbers } from './plain-numbers.ts';

test('typed arrays at any depth become lists, the rest stays', () => {
  const value = {
    backcast: { mean: Float32Array.of(1, 2), quantiles: [Float64Array.of(3)] },
    model: 'theta',
    seasons: [24],
    best: null,
  };
  expect(JSON.stringify(plainNumbers(value))).toBe(
    '{"backcast":{"mean":[1,2],"quantiles":[[3]]},"model":"theta","seasons":[24],"best":null}',
  );
});
