/** A process of its own that runs the tiny training to its end: `node train-tiny.ts FOLDER`; says each step. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTinyTraining } from './tiny-training.ts';

const folder = process.argv[2]!;
mkdirSync(folder, { recursive: true });
await using training = await openTinyTraining(folder, { progressEvery: 1 });
training.telemetry.listen(({ name, step }) => {
  if (name === 'training.progress') process.stdout.write(`${step}\n`);
});
await training.trainer.open();
const { end } = await training.trainer.run();
const { parameters, moments } = training.step.state();
const bits = [...parameters, ...moments].map(([name, { data }]) => [
  name,
  Buffer.from((data as Float32Array).slice().buffer).toString('hex'),
]);
writeFileSync(join(folder, 'final.json'), JSON.stringify({ end, bits }));
