import { expect, test } from 'vitest';
import { contextRows, TRAINED_STEPS, trainedSteps } from './training-rows.ts';

test('the rows of a batch lose the missing points in front, and those alone', () => {
  const { NaN: none } = Number;
  const contexts = Float32Array.of(none, none, 1, 2, 3, none, 4, none, none, none, none, none);
  expect(contextRows(contexts, 3).map((row) => Array.from(row))).toEqual([
    [1, 2],
    [3, none, 4, none],
    [0],
  ]);
});

test('trained steps are whole patches, at most the longest, at least one', () => {
  expect(trainedSteps(10, 16, 64)).toBe(16);
  expect(trainedSteps(17, 16, 64)).toBe(32);
  expect(trainedSteps(100, 16, 64)).toBe(64);
  expect(trainedSteps(100, 16, 70)).toBe(64);
  expect(trainedSteps(100, 16, 8)).toBe(16);
  expect(trainedSteps(undefined, 16, 1024)).toBe(TRAINED_STEPS);
});
