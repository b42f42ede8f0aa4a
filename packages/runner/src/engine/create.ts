/** Random checkpoints of a published architecture: for measuring speed and memory without a download. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const CreateParams = z.object({
  /** Where config.json and model.safetensors go; made when missing. */
  output_dir: z.string().min(1),
  config: z.record(z.string(), z.unknown()),
  family: z.string().nullish(),
  seed: z.int().min(0).default(1),
});

/**
 * Writes config.json and a model.safetensors with seeded random weights of the shapes that the family's
 * forward pass asks for.
 */
export const createRandomCheckpoint = async (params: unknown): Promise<unknown> => {
  const { output_dir, config, family, seed } = CreateParams.parse(params);
  const { randomCheckpoint } = await import('@tollama/models/random-checkpoint');
  await mkdir(output_dir, { recursive: true });
  await randomCheckpoint(join(output_dir, 'model.safetensors'), config, family ?? undefined, seed);
  await writeFile(join(output_dir, 'config.json'), `${JSON.stringify(config, null, 2)}\n`);
  const { inspectModel } = await import('@tollama/models/inspect-model');
  return inspectModel(output_dir);
};
