/** Training: gradients of graphs at work, trainer, adapters, policy and the harness that judges them. */
export { openTrainingStep, type TrainingStepOptions } from './step/open-training-step.ts';
export type * from './step/optimizer.ts';
export type * from './step/training-step.ts';
