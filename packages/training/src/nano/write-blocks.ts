/**
 * Writes blocks of synthetic examples until it is stopped; started again, it goes on where it stopped.
 *
 *   node packages/training/src/nano/write-blocks.ts --out FOLDER [--seed 1] [--first 0] [--every 1] [--blocks N] [--only SOURCE]
 */
import { parseArgs } from 'node:util';
import { SOURCES } from '../synthetic/sources.ts';
import { writeBlock } from './blocks.ts';

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    seed: { type: 'string', default: '1' },
    first: { type: 'string', default: '0' },
    every: { type: 'string', default: '1' },
    blocks: { type: 'string', default: '100000' },
    only: { type: 'string' },
  },
});
if (!options.out) throw new Error('--out FOLDER is missing');
const only = options.only ? SOURCES.findIndex(({ name }) => name === options.only) : undefined;
if (only === -1) throw new Error(`no source '${options.only}': ${SOURCES.map(({ name }) => name)}`);
const started = performance.now();
for (let k = 0; k < Number(options.blocks); k++) {
  const block = Number(options.first) + k * Number(options.every);
  writeBlock(options.out, Number(options.seed), block, only);
  console.log(`block ${block}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
