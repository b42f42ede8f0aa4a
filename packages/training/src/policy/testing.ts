/** States to show to policies in tests. */
import type { RunState, SeedState } from '../contracts/run-state.ts';

export const seedState = (over: Partial<SeedState> = {}): SeedState => ({
  id: 'seed-1',
  slot: 'slot-1',
  blueprint: 'lora-r2-qv',
  stage: 'TRAINING',
  epochsInStage: 1,
  alpha: 0,
  alphaTarget: 0,
  improvement: 0,
  contribution: undefined,
  gradientRatio: 1,
  gradientHealth: 1,
  isolationViolations: 0,
  ...over,
});

/** A run with one slot whose loss does not fall any more. */
export const runState = (over: Partial<RunState> = {}, seed?: SeedState): RunState => ({
  runId: 'run-1',
  epoch: 8,
  epochs: 30,
  trainLoss: 1,
  validationLoss: 1,
  validationLosses: Array.from({ length: 9 }, () => 1),
  slots: [{ name: 'slot-1', seed }],
  parametersUsed: 0,
  parameterBudget: 1000,
  epochsSinceCull: undefined,
  ...over,
});
