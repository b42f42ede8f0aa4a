import { copyFile, cp, mkdtemp, open, rm, truncate, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exampleBody, startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

const golden = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

let at: TestDaemon;
let folder: string;
beforeEach(async () => {
  at = await startTestDaemon();
  folder = await mkdtemp(join(tmpdir(), 'tollama-weights-'));
  await cp(golden, folder, { recursive: true });
  await at.call('POST', '/api/pull', { model: folder, name: 'bolt', stream: false });
});
afterEach(async () => {
  await at[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const forecast = () => at.call('POST', '/v1/forecast', exampleBody({ model: 'bolt' }));
const meanOf = ({ body }: { body: unknown }) =>
  (body as { forecasts: { mean: number[] }[] }).forecasts[0]?.mean;
const weights = () => join(at.daemon.context.home.model('bolt').snapshot, 'model.safetensors');

/** Later than the slack that is given to clocks. */
const writtenLater = (path: string) => utimes(path, new Date(), new Date(Date.now() + 60_000));

const flipByte = async (path: string, position: number): Promise<void> => {
  await using file = await open(path, 'r+');
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
  await file.write(Buffer.from([buffer[0]! ^ 0x40]), 0, 1, position);
};

test('no number comes from weights that were changed on the disk, loaded or not', async () => {
  const before = meanOf(await forecast());
  await flipByte(weights(), 50_000);
  await writtenLater(weights());
  const refused = {
    status: 500,
    body: { detail: expect.stringMatching(/^model\.safetensors of model 'bolt' is not the file/) },
  };
  expect(await forecast()).toMatchObject(refused);
  await at.call('POST', '/api/stop', { model: 'bolt' });
  expect(await forecast()).toMatchObject(refused);
  await flipByte(weights(), 50_000);
  await writtenLater(weights());
  expect(meanOf(await forecast())).toEqual(before);
});

test('a file that was cut off is noticed before a runner reads it', async () => {
  await forecast();
  await truncate(weights(), 60_000);
  expect(await forecast()).toMatchObject({ status: 500 });
  expect(at.daemon.context.supervisor.restartTotal).toBe(0);
});

test('the same bytes with another date are the same model', async () => {
  const before = meanOf(await forecast());
  await rm(weights());
  await copyFile(join(golden, 'model.safetensors'), weights());
  await writtenLater(weights());
  expect(meanOf(await forecast())).toEqual(before);
});
