/** The header of a safetensors file on disk. */
import { basename } from 'node:path';
import { parseSafetensorsHeader, type SafetensorsHeader } from './parse-header.ts';
import { openRegularFile, readPart } from './regular-file.ts';

export type { SafetensorsHeader, StoredTensor } from './parse-header.ts';

/**
 * Reads and checks the header of one safetensors file; the data is not touched.
 *
 * @throws TollamaError CHECKPOINT_INVALID for anything that is not a well-formed file
 */
export const readSafetensorsHeader = async (path: string): Promise<SafetensorsHeader> => {
  await using file = await openRegularFile(path);
  const { size: sizeBytes } = await file.stat();
  const read = (offset: number, length: number) => readPart(file, offset, length);
  return await parseSafetensorsHeader({ name: basename(path), sizeBytes, read });
};
