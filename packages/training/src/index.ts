/** Training: gradients of graphs at work, trainer, adapters, policy and the harness that judges them. */
export { lossFeeds } from './job/forecast-loss.ts';
export {
  type ModelParts,
  openModelParts,
  type TrainableModel,
  trainableModel,
  trainedFamilies,
} from './job/trainable.ts';
export * from './loss/losses.ts';
export { type BlendKind, type BlendOptions, blend } from './slots/blend.ts';
export { type LinearSlot, linearSlots } from './slots/linear-slots.ts';
export { ALL_LINEAR, matchModules, type TargetModules } from './slots/match-modules.ts';
export * from './slots/plant.ts';
export { type SeedBlueprint, type SeedTensor, savedName, seedTensors } from './slots/seed.ts';
export { openTrainingStep, type TrainingStepOptions } from './step/open-training-step.ts';
export type * from './step/optimizer.ts';
export type * from './step/training-step.ts';
