/** What makes two runs the same: their inputs as they are now, and all that was asked. */
import { VERSION } from '@tollama/core/version';
import { contentHash } from '@tollama/queue';

export const fingerprintOf = (identities: readonly string[], asked: unknown): string => {
  const text = JSON.stringify([VERSION, identities, asked]);
  return contentHash(new TextEncoder().encode(text)).slice(0, 32);
};
