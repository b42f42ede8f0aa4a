/**
 * Writes the moving means of a run's last save as a checkpoint.
 *
 *   node packages/training/src/nano/export.ts --run FOLDER --out FOLDER [--raw]
 */
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { configOf } from './run-config.ts';
import { exportWeights, loadRun } from './run-state.ts';

const { values: options } = parseArgs({
  options: { run: { type: 'string' }, out: { type: 'string' }, raw: { type: 'boolean' } },
});
if (!options.run || !options.out) throw new Error('--run FOLDER and --out FOLDER are needed');
const run = await loadRun(options.run);
if (!run) throw new Error(`${options.run} holds no save`);
mkdirSync(options.out, { recursive: true });
const weights = options.raw ? run.state.parameters : run.averages;
await exportWeights(options.out, configOf(weights), weights);
console.log(`step ${run.progress.step}`);
