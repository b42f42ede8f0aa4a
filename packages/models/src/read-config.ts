/** Reads config.json of a checkpoint folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import type { TensorSpec } from '@tollama/graph';
import { FAMILIES } from './families/index.ts';
import { type FamilyAndConfig, familyOf } from './family-of.ts';

type Tensors = ReadonlyMap<string, TensorSpec>;

/** What a training library keeps beside the weights of a checkpoint, as `Checkpoint` gives it. */
type HyperParameters = Readonly<Record<string, unknown>> | undefined;

/** The families that their tensors alone tell; the others say more in config.json than shapes can. */
const isTold = (tensors: Tensors): boolean =>
  FAMILIES.some(({ recognizes }) => recognizes({}, tensors));

/**
 * Reads config.json of a checkpoint folder whose tensors are known. Where there is none, the hyper-parameters
 * that its weights file holds stand for it, or the names and shapes of its tensors where they tell all.
 */
export const readConfig = async (
  folder: string,
  tensors: Tensors,
  hyperParameters?: HyperParameters,
): Promise<FamilyAndConfig> => {
  const path = join(folder, 'config.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      if (hyperParameters) {
        return familyOf(hyperParameters, tensors, 'hyper_parameters of the checkpoint');
      }
      if (isTold(tensors)) return familyOf({}, tensors, 'tensors of the checkpoint');
    }
    throw new TollamaError('CHECKPOINT_INVALID', `there is no config.json in ${folder}`, { cause });
  }
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch (cause) {
    throw new TollamaError(
      'CHECKPOINT_INVALID',
      `${path} is not JSON: ${(cause as Error).message}`,
      { cause },
    );
  }
  return familyOf(config, tensors, path);
};
