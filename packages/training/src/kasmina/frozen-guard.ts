/** Holds frozen parameters to what they were: their bytes are hashed at the start, at checkpoints and at the end. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { TollamaError } from '@tollama/core/errors';
import type { Checkpoint, CheckpointTensor } from '@tollama/graph';

const hashOf = async ({ file, offset, sizeBytes }: CheckpointTensor): Promise<string> => {
  const hash = createHash('sha256');
  if (sizeBytes === 0) return hash.digest('hex');
  const bytes = createReadStream(file, { start: offset, end: offset + sizeBytes - 1 });
  for await (const part of bytes) hash.update(part as Buffer);
  return hash.digest('hex');
};

export class FrozenGuard {
  readonly #tensors: ReadonlyMap<string, CheckpointTensor>;
  #hashes: ReadonlyMap<string, string> | undefined;

  /** @param names the frozen ones; all tensors of the checkpoint when absent */
  constructor({ tensors }: Checkpoint, names: Iterable<string> = tensors.keys()) {
    this.#tensors = new Map(
      [...names].map((name) => {
        const tensor = tensors.get(name);
        if (tensor) return [name, tensor];
        throw new TollamaError('INTERNAL', `the checkpoint has no frozen tensor '${name}'`);
      }),
    );
  }

  /** Hashes now; the first time it remembers, later it answers the names that changed. */
  async check(): Promise<readonly string[]> {
    const entries = [...this.#tensors].map(
      async ([name, tensor]) => [name, await hashOf(tensor)] as const,
    );
    const now = new Map(await Promise.all(entries));
    const before = this.#hashes;
    this.#hashes ??= now;
    return before ? [...now.keys()].filter((name) => now.get(name) !== before.get(name)) : [];
  }
}
