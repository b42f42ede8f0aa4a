/** Bytes by the hash of what they are: what jobs speak of, and queues never hold. */
import { createHash } from 'node:crypto';

/** SHA-256 in hexadecimal. */
export type ContentHash = string;

export interface ContentStore extends AsyncDisposable {
  /** Keeps bytes; the same bytes are kept once. */
  put(bytes: Uint8Array): Promise<ContentHash>;
  /** The bytes, checked against their hash; undefined where they are not, or no longer, kept whole. */
  get(hash: ContentHash): Promise<Uint8Array | undefined>;
  remove(hash: ContentHash): Promise<void>;
}

/** The name of bytes in every store. */
export const contentHash = (bytes: Uint8Array): ContentHash =>
  createHash('sha256').update(bytes).digest('hex');
