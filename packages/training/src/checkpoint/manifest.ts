/** manifest.json: the files of a checkpoint with their sizes and hashes; what is not as it says is not loaded. */
import { createHash } from 'node:crypto';
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';

export const MANIFEST_SCHEMA = 1;

const Manifest = z.object({
  schema: z.literal(MANIFEST_SCHEMA),
  step: z.int().min(0),
  files: z
    .array(
      z.object({
        /** A plain file name of the same folder. */
        name: z.string().regex(/^[\w-][\w.-]*$/),
        size: z.int().min(0),
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
      }),
    )
    .min(1),
});
export type Manifest = z.infer<typeof Manifest>;

export const sha256Of = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

export const refuseCheckpoint = (path: string, why: string, cause?: unknown): never => {
  throw new TollamaError('CHECKPOINT_INVALID', `checkpoint ${path}: ${why}`, {
    hint: 'go on from an older checkpoint; those of the same folder are kept by --keep',
    cause,
  });
};

/** @throws TollamaError CHECKPOINT_INVALID for anything but a manifest of the known schema */
export const parseManifest = (path: string, text: string): Manifest => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return refuseCheckpoint(path, 'its manifest is not JSON', cause);
  }
  const { schema } = (value ?? {}) as { schema?: unknown };
  if (schema !== MANIFEST_SCHEMA) {
    return refuseCheckpoint(path, `schema ${JSON.stringify(schema)} is not ${MANIFEST_SCHEMA}`);
  }
  const parsed = Manifest.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return refuseCheckpoint(path, `its manifest is malformed at ${issue!.path.join('.')}`);
};
