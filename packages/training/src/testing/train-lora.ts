/**
 * A process of its own that trains a LoRA adapter of a checkpoint as a job: `node train-lora.ts FOLDER CHECKPOINT`;
 * says each step.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JOB_SCHEMA, JobConfig } from '@tollama/core/training-job';
import { runJob } from '../job/run-job.ts';

const [folder, checkpoint] = process.argv.slice(2) as [string, string];
mkdirSync(folder, { recursive: true });
const job = JobConfig.parse({
  schema: JOB_SCHEMA,
  id: 'job',
  name: 'base:killed',
  base: { model: 'base', revision: 'r', folder: checkpoint },
  options: {
    steps: 40,
    epochs: 10,
    batch_size: 4,
    threads: 1,
    context: 64,
    horizon: 8,
    ema: 0.9,
    checkpoint_every: 2,
  },
});
const values = Array.from({ length: 300 }, (_, t) => 3 + Math.sin(t / 4) + 0.1 * Math.sin(t * 1.7));
writeFileSync(join(folder, 'job.json'), JSON.stringify(job));
writeFileSync(join(folder, 'series.json'), JSON.stringify([{ id: 'a', freq: 'h', values }]));

const { end, output } = await runJob(folder, {
  onEvent: ({ name, step }) => {
    if (name === 'training.progress') process.stdout.write(`${step}\n`);
  },
});
const hash = createHash('sha256');
hash.update(readFileSync(join(output!.folder, 'adapter_model.safetensors')));
writeFileSync(join(folder, 'final.json'), JSON.stringify({ end, adapter: hash.digest('hex') }));
