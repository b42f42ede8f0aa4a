/** Blocks of examples in files: block b of a seed holds the same bytes whenever and by whomever it is written. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../synthetic/random.ts';
import { drawWindow, ROW_WIDTH, writeWindow } from './windows.ts';

/** Examples in a block. */
export const BLOCK_ROWS = 2048;

export const blockPath = (folder: string, block: number): string =>
  join(folder, `block-${String(block).padStart(6, '0')}.f32`);

/** [BLOCK_ROWS][ROW_WIDTH]; `only` keeps to one source. */
export const makeBlock = (seed: number, block: number, only?: number): Float32Array => {
  const random = createRandom(seed, block);
  const rows = new Float32Array(BLOCK_ROWS * ROW_WIDTH);
  for (let i = 0; i < BLOCK_ROWS; ) {
    const row = rows.subarray(i * ROW_WIDTH, (i + 1) * ROW_WIDTH);
    if (writeWindow(random, drawWindow(random, only), row)) i++;
  }
  return rows;
};

/** Writes a block that is missing, whole or not at all. */
export const writeBlock = (folder: string, seed: number, block: number, only?: number): void => {
  const path = blockPath(folder, block);
  if (existsSync(path)) return;
  mkdirSync(folder, { recursive: true });
  const partial = `${path}.${process.pid}.part`;
  writeFileSync(partial, new Uint8Array(makeBlock(seed, block, only).buffer));
  renameSync(partial, path);
};

/** The rows of a block, or undefined where it is not written yet. */
export const readBlock = (folder: string, block: number): Float32Array | undefined => {
  const path = blockPath(folder, block);
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
};
