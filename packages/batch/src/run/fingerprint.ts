/** What makes two runs the same: their inputs as they are now, and all that was asked. */
import { VERSION } from '@tollama/core/version';
import { contentHash } from '@tollama/queue';

/** 32 hexadecimal digits that change with the version, the inputs and what was asked. */
export const fingerprintOf = (identities: readonly string[], asked: unknown): string => {
  const text = JSON.stringify([VERSION, identities, asked]);
  return contentHash(new TextEncoder().encode(text)).slice(0, 32);
};
