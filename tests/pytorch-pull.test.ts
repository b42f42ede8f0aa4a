/** Checkpoints that are published as one file of torch.save, without config.json: from a hub to a forecast. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { picklable, torchCheckpointOf } from '@tollama/graph/testing/torch-checkpoint';
import { randomCheckpoint } from '@tollama/models/random-checkpoint';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startFakeHub } from '../packages/daemon/src/testing/fake-hub.ts';
import { startTestDaemon } from '../packages/daemon/src/testing/test-daemon.ts';

const golden = resolve(import.meta.dirname, '../golden');
const DECILES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-torch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** TimesFM of the published generations, narrower: what tells them apart is the number of layers. */
const timesfm = (layers: number, more: Readonly<Record<string, unknown>>) => async (to: string) => {
  const sizes = { num_layers: layers, num_heads: 2, model_dims: 8, quantiles: DECILES };
  const config = { ...sizes, ...more };
  await writeFile(join(to, 'config.json'), JSON.stringify(config));
  await randomCheckpoint(join(to, 'model.safetensors'), config, 'timesfm-1', 1);
  return undefined;
};

const tirex = async (to: string) => {
  await cp(join(golden, 'tirex/tiny'), to, { recursive: true });
  return picklable(JSON.parse(await readFile(join(to, 'config.json'), 'utf8')));
};

test.each([
  {
    file: 'torch_model.ckpt',
    title: 'timesfm 1.0',
    family: 'timesfm-1',
    write: timesfm(20, { use_positional_embedding: true, context_len: 512 }),
  },
  {
    file: 'torch_model.ckpt',
    title: 'timesfm 2.0',
    family: 'timesfm-1',
    write: timesfm(50, { use_positional_embedding: false, context_len: 2048 }),
  },
  { file: 'model.ckpt', title: 'tirex', family: 'tirex', write: tirex },
])('$title is pulled and forecasts as its safetensors do', async ({ file, family, write }) => {
  const whole = join(folder, 'whole');
  const published = join(folder, 'published');
  for (const place of [whole, published]) await mkdir(place);
  const hyperParameters = await write(whole);
  await writeFile(join(published, file), await torchCheckpointOf(whole, hyperParameters));
  await using hub = await startFakeHub(published);
  await using at = await startTestDaemon({ HF_ENDPOINT: hub.url });

  const pulled = await at.call('POST', '/api/pull', { model: 'owner/name', stream: false });
  expect(pulled).toMatchObject({ status: 200, body: { status: 'success' } });
  await at.call('POST', '/api/pull', { model: whole, name: 'whole', stream: false });
  const shown = await at.call('POST', '/api/show', { model: 'name' });
  expect(shown.body).toMatchObject({ family });

  const target = Array.from({ length: 90 }, (_, i) => 10 + 3 * Math.sin(i / 4) + 0.01 * i);
  const timestamps = target.map((_, i) => new Date(Date.UTC(2024, 0, 1, i)).toISOString());
  const forecast = async (model: string) => {
    const series = [{ id: 'a', freq: 'h', timestamps, target }];
    const answer = await at.call('POST', '/v1/forecast', {
      model,
      horizon: 5,
      quantiles: DECILES,
      series,
    });
    expect(answer, JSON.stringify(answer.body).slice(0, 300)).toMatchObject({ status: 200 });
    return (answer.body as { forecasts: unknown }).forecasts;
  };
  expect(await forecast('name')).toEqual(await forecast('whole'));
});
