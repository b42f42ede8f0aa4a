import { rm } from 'node:fs/promises';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { systemClock } from '../clock/clock.ts';
import { type AdapterNeed, hostLoader, needKey, writeAdapters } from '../harness/adapters.ts';
import { HOST_SLOTS, hostGraph } from '../harness/host.ts';
import { AdapterStore } from './adapter-store.ts';

const NEED: AdapterNeed = { slot: HOST_SLOTS[1]!, blueprint: 'lora-r4-all', revision: 'a' };
const KEY = needKey(NEED);

const withStore = (use: (store: AdapterStore) => Promise<void>) =>
  withFolder(async (folder) => {
    const store = new AdapterStore(folder);
    await writeAdapters(store, hostGraph(), [NEED], 1);
    await use(store);
  });

const load = (store: AdapterStore, needs: readonly AdapterNeed[] = [NEED], key = KEY) =>
  hostLoader({ store, graph: hostGraph(), needs, clock: systemClock })(
    key,
    new AbortController().signal,
  );

test('a load is read, verified, built and warmed up', async () => {
  await withStore(async (store) => {
    const loaded = await load(store);
    if (loaded.kind === 'failed') throw new Error(loaded.message);
    await using kernel = loaded.value.kernel;
    const shapes = [...loaded.value.tensors].map(([name, { dims }]) => [name, dims]);
    expect(shapes).toEqual([
      ['base_model.model.head.lora_A.weight', [4, 64]],
      ['base_model.model.head.lora_B.weight', [12, 4]],
    ]);
    expect(loaded.sizeBytes).toBe(4 * (4 * 64 + 12 * 4));
    expect(loaded.prewarmMs).toBeGreaterThan(0);
    await kernel.warmUp(loaded.value.tensors);
  });
});

test('each way to fail has its name', async () => {
  await withStore(async (store) => {
    const other = { ...NEED, revision: 'b' };
    expect(await load(store, [other], needKey(other))).toMatchObject({
      failure: 'missing_artifact',
    });
    const wide = { ...NEED, blueprint: 'lora-r8-all' };
    const artifact = store.find(KEY)!;
    // A file whose tensors are another blueprint's.
    const swapped = { find: () => artifact, pathOf: store.pathOf.bind(store) } as unknown;
    expect(await load(swapped as AdapterStore, [wide], needKey(wide))).toMatchObject({
      failure: 'shape_mismatch',
    });
    await store.damage(KEY);
    expect(await load(store)).toMatchObject({ failure: 'checksum_mismatch' });
    await rm(store.pathOf(artifact));
    expect(await load(store)).toMatchObject({ failure: 'artifact_not_found' });
  });
});
