import { expect, test } from 'vitest';
import { limitHorizon } from './limit-horizon.ts';

const ask =
  (horizon: number, options: Readonly<Record<string, unknown>> = {}) =>
  () =>
    limitHorizon({ horizon, options }, 64, 'chronos-bolt');

test('refuses a longer horizon only where it is asked to', () => {
  expect(ask(65)).not.toThrow();
  expect(ask(64, { limit_prediction_length: true })).not.toThrow();
  expect(ask(65, { limit_prediction_length: true })).toThrowErrorMatchingInlineSnapshot(
    `[TollamaError: horizon 65 is beyond the 64 steps of the model, and options.limit_prediction_length is true]`,
  );
});

test('takes nothing but a boolean', () => {
  expect(ask(1, { limit_prediction_length: 'yes' })).toThrowErrorMatchingInlineSnapshot(
    `[TollamaError: options.limit_prediction_length = "yes" is not valid for chronos-bolt: Invalid input: expected boolean, received string]`,
  );
});
