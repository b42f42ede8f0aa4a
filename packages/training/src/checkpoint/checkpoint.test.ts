import { access, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withFolder } from '@tollama/graph/testing/run-graph';
import { expect, test } from 'vitest';
import { findCheckpoint } from './checkpoint-folder.ts';
import { readCheckpoint } from './read-checkpoint.ts';
import { outdated } from './retention.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

const task = (
  folder: string,
  step: number,
  pointers: readonly ('latest' | 'best')[] = ['latest'],
) => ({
  folder,
  pointers,
  retention: { last: 2, every: 100 },
  contents: {
    step,
    files: [
      {
        kind: 'tensors' as const,
        name: 'model.safetensors',
        tensors: [{ name: 'w', shape: [2], data: Float32Array.of(step, Math.fround(0.1)) }],
        metadata: { step: String(step) },
      },
      { kind: 'text' as const, name: 'trainer.json', text: '{}\n' },
    ],
  },
});

test('what is written is read again, bit for bit', async () => {
  await withFolder(async (folder) => {
    await writeCheckpoint(task(folder, 7));
    const read = await readCheckpoint((await findCheckpoint(folder, 'latest'))!);
    expect(read.step).toBe(7);
    expect(read.files).toMatchObject([
      { name: 'model.safetensors', tensors: [{ name: 'w', shape: [2] }] },
      { name: 'trainer.json', text: '{}\n' },
    ]);
    const [model] = read.files;
    expect(model?.kind === 'tensors' && [...model.tensors[0]!.data]).toEqual([7, Math.fround(0.1)]);
    expect(await readFile(join(read.path, 'model.safetensors'), 'latin1')).toContain(
      '"__metadata__":{"format":"pt","step":"7"}',
    );
  });
});

test('the last ones stay, milestones, and what is pointed at', async () => {
  await withFolder(async (folder) => {
    await writeCheckpoint(task(folder, 10, ['latest', 'best']));
    for (const step of [100, 110, 120, 130]) await writeCheckpoint(task(folder, step));
    expect((await readdir(folder)).toSorted()).toEqual([
      'best',
      'latest',
      'step-000010',
      'step-000100',
      'step-000120',
      'step-000130',
    ]);
  });
  const found = [1, 2, 3].map((step) => ({ name: `step-${step}`, step }));
  expect(outdated(found, new Set(['step-1']), { last: 1 })).toEqual(['step-2']);
});

test('a crash in the middle of a replacement is mended', async () => {
  await withFolder(async (folder) => {
    await writeCheckpoint(task(folder, 5));
    const path = join(folder, 'step-000005');
    await rename(path, `${path}.old`);
    expect(await findCheckpoint(folder, 'latest')).toBe(path);
    await access(join(path, 'manifest.json'));
  });
});

test.each([
  [
    'a missing file',
    (path: string) => rm(join(path, 'trainer.json')),
    'trainer.json: it cannot be read',
  ],
  [
    'another length',
    (path: string) => writeFile(join(path, 'trainer.json'), '{ }\n'),
    'it has 4 bytes, its manifest says 3',
  ],
  [
    'other bytes',
    (path: string) => writeFile(join(path, 'trainer.json'), '[]\n'),
    'trainer.json: its sha256 is',
  ],
  [
    'an unknown schema',
    (path: string) => writeFile(join(path, 'manifest.json'), '{"schema":2}'),
    'schema 2 is not 1',
  ],
  [
    'a path that leads out',
    (path: string) =>
      writeFile(
        join(path, 'manifest.json'),
        JSON.stringify({
          schema: 1,
          step: 1,
          files: [{ name: '../x', size: 1, sha256: '0'.repeat(64) }],
        }),
      ),
    'its manifest is malformed at files.0.name',
  ],
])('%s is refused', async (_, damage, message) => {
  await withFolder(async (folder) => {
    await writeCheckpoint(task(folder, 3));
    const path = join(folder, 'step-000003');
    await damage(path);
    await expect(readCheckpoint(path)).rejects.toThrow(message);
  });
});

test('a reading that is aborted ends', async () => {
  await withFolder(async (folder) => {
    await writeCheckpoint(task(folder, 3));
    const reading = readCheckpoint(join(folder, 'step-000003'), { isAborted: () => true });
    await expect(reading).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});
