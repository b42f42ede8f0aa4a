/** Models: families and their checkpoints, opened to forecast; ensembles of them. */
export * from './ensemble/ensemble.ts';
export * from './ensemble/recipe.ts';
export { chooseCheckpoint } from './families/granite-ttm/checkpoint-choice.ts';
export { FAMILIES } from './families/index.ts';
export * from './family.ts';
export { type FamilyAndConfig, familyOf } from './family-of.ts';
export * from './open-model.ts';
export { openWebModel, type WebModelOptions } from './open-web-model.ts';
export * from './read-config.ts';
