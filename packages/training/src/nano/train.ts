/**
 * Trains tollama-nano on blocks that `write-blocks.ts` writes; started again, it goes on where it stopped.
 *
 *   node packages/training/src/nano/train.ts --run FOLDER --blocks FOLDER --validation NAME=FILE,... [--steps N]
 *     [--from RUN] [--decay N]   a fork of another run whose rate falls to nothing over N steps
 *     [--weights RUN]            begins with the moving means of another run
 *     [--export FOLDER]          writes config.json and model.safetensors at the end
 */
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ANCHORS } from '@tollama/models/families/tollama-nano/anchors';
import { CONTEXT_FEATURES, STEP_FEATURES } from '@tollama/models/families/tollama-nano/prepare';
import type { OptimizerOptions } from '../step/optimizer.ts';
import { exportWeights, loadRun } from './run-state.ts';
import { trainNano } from './trainer.ts';
import { Visits } from './visits.ts';

const { values: options } = parseArgs({
  options: {
    run: { type: 'string' },
    blocks: { type: 'string' },
    validation: { type: 'string', default: '' },
    steps: { type: 'string', default: '1000000' },
    from: { type: 'string' },
    decay: { type: 'string' },
    weights: { type: 'string' },
    export: { type: 'string' },
    seed: { type: 'string', default: '1' },
    batch: { type: 'string', default: '256' },
    rate: { type: 'string', default: '0.0015' },
    optimizer: { type: 'string', default: 'adamw' },
    width: { type: 'string', default: '192' },
    hidden: { type: 'string', default: '384' },
    layers: { type: 'string', default: '3' },
    'save-every': { type: 'string', default: '500' },
  },
});
if (!options.run || !options.blocks) throw new Error('--run FOLDER and --blocks FOLDER are needed');
const folder = options.run;
mkdirSync(folder, { recursive: true });

/** A fork begins with the other run's last save and its journal. */
const fork = (from: string): void => {
  if (existsSync(join(folder, 'latest.json'))) return;
  const { file } = JSON.parse(readFileSync(join(from, 'latest.json'), 'utf8'));
  copyFileSync(join(from, file), join(folder, file));
  if (existsSync(join(from, 'visits.txt'))) {
    copyFileSync(join(from, 'visits.txt'), join(folder, 'visits.txt'));
  }
  copyFileSync(join(from, 'latest.json'), join(folder, 'latest.json'));
  copyFileSync(join(from, 'latest.json'), join(folder, 'fork.json'));
};
if (options.from) fork(options.from);

const forkedAt = existsSync(join(folder, 'fork.json'))
  ? (JSON.parse(readFileSync(join(folder, 'fork.json'), 'utf8')).step as number)
  : 0;
const WARM_UP = 300;
const peak = Number(options.rate);
const decay = options.decay === undefined ? undefined : Number(options.decay);
const rate = (step: number): number => {
  const warm = Math.min(1, (step + 1) / WARM_UP);
  if (decay === undefined) return peak * warm;
  return peak * warm * Math.max(0, 1 - (step - forkedAt) / decay);
};

const optimizer: OptimizerOptions =
  options.optimizer === 'muon'
    ? {
        kind: 'muon',
        adjust: 'match_rms_adamw',
        isMatrix: (name) => name.includes('layers'),
        others: { betas: [0.9, 0.99], weightDecay: 0.01 },
      }
    : { kind: 'adamw', betas: [0.9, 0.99], weightDecay: 0.01 };

const validation = new Map(
  options.validation
    .split(',')
    .filter(Boolean)
    .map((pair): [string, Float32Array] => {
      const [name, path] = pair.split('=') as [string, string];
      const bytes = readFileSync(path);
      return [name, new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)];
    }),
);

const config = {
  model_type: 'tollama-nano',
  d_model: Number(options.width),
  d_hidden: Number(options.hidden),
  num_layers: Number(options.layers),
  context_features: CONTEXT_FEATURES,
  step_features: STEP_FEATURES,
  anchors: ANCHORS.length,
} as const;

const log = (line: Readonly<Record<string, unknown>>): void => {
  const text = JSON.stringify({ time: new Date().toISOString(), ...line });
  console.log(text);
  appendFileSync(join(folder, 'log.jsonl'), `${text}\n`);
};

const seed = Number(options.seed);
const first = options.weights ? (await loadRun(options.weights))?.averages : undefined;
const run = await trainNano({
  config,
  first,
  folder,
  blocks: options.blocks,
  visits: new Visits(options.blocks, join(folder, 'visits.txt'), seed),
  seed,
  batchSize: Number(options.batch),
  optimizer,
  rate,
  lastStep: decay === undefined ? Number(options.steps) : forkedAt + decay,
  saveEvery: Number(options['save-every']),
  keep: decay === undefined ? 0.999 : 0.99,
  validation,
  log,
});
if (options.export) {
  mkdirSync(options.export, { recursive: true });
  await exportWeights(options.export, config, run.averages);
}
