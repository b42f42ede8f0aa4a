/** config.json -> the family that it belongs to, and its config; unknown variants are refused by name. */
import { TollamaError } from '@tollama/core/errors';
import type { TensorSpec } from '@tollama/graph';
import { firstIssue } from './config-issue.ts';
import { FAMILIES } from './families/index.ts';
import type { Family } from './family.ts';

type Tensors = ReadonlyMap<string, TensorSpec>;

export interface FamilyAndConfig {
  readonly family: Family;
  readonly config: unknown;
}

const describe = (config: Readonly<Record<string, unknown>>): string => {
  const keys = ['chronos_pipeline_class', 'architectures', 'model_type'];
  const known = keys
    .filter((key) => key in config)
    .map((key) => `${key} = ${JSON.stringify(config[key])}`);
  return known.join(', ') || 'none of chronos_pipeline_class, architectures, model_type';
};

/** Finds the family of a parsed config.json. Throws MODEL_UNSUPPORTED or CHECKPOINT_INVALID. */
export const familyOf = (
  config: unknown,
  tensors: Tensors,
  source = 'config.json',
): FamilyAndConfig => {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new TollamaError('CHECKPOINT_INVALID', `${source} is not a JSON object`);
  }
  const record = config as Readonly<Record<string, unknown>>;
  const family = FAMILIES.find((candidate) => candidate.recognizes(record, tensors));
  if (!family) {
    throw new TollamaError(
      'MODEL_UNSUPPORTED',
      `${source} belongs to no known family: ${describe(record)}`,
      {
        hint: `known families: ${FAMILIES.map(({ name }) => name).join(', ')}`,
      },
    );
  }
  const parsed = family.config.safeParse(record);
  if (!parsed.success) {
    const issue = firstIssue(parsed.error, record, family.name);
    throw new TollamaError('CHECKPOINT_INVALID', `${source}: ${issue}`);
  }
  return { family, config: family.complete?.(parsed.data, tensors) ?? parsed.data };
};
