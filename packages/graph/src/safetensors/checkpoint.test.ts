import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defineGraph } from '../graph.ts';
import * as ops from '../ops.ts';
import { openSession } from '../session/session.ts';
import { numbersOf, tensorOf, withFolder, writeCheckpoint } from '../testing/run-graph.ts';
import { type Checkpoint, INDEX_FILE, openCheckpoint, SINGLE_FILE } from './checkpoint.ts';

const A = tensorOf([2], [1, 2]);
const B = tensorOf([3], [3, 4, 5]);

type Shards = Readonly<Record<string, Readonly<Record<string, typeof A>>>>;

const SHARDS: Shards = {
  'model-00001-of-00002.safetensors': { a: A },
  'model-00002-of-00002.safetensors': { b: B },
};
const [FIRST, SECOND] = Object.keys(SHARDS) as [string, string];

const writeShards = async (folder: string, index: unknown, shards = SHARDS): Promise<void> => {
  for (const [name, parameters] of Object.entries(shards)) {
    await writeCheckpoint(folder, parameters);
    await rename(join(folder, SINGLE_FILE), join(folder, name));
  }
  const text = typeof index === 'string' ? index : JSON.stringify(index);
  await writeFile(join(folder, INDEX_FILE), text);
};

const withShards = (index: unknown, shards = SHARDS): Promise<Checkpoint> =>
  withFolder(async (folder) => {
    await writeShards(folder, index, shards);
    return openCheckpoint(folder);
  });

/** Both tensors read through a session. */
const readBoth = async (checkpoint: Checkpoint): Promise<number[]> => {
  const joined = ops.concat(
    [ops.parameter('a', [2], 'float32'), ops.parameter('b', [3], 'float32')],
    0,
  );
  await using session = await openSession(defineGraph('g', [], { joined }), {
    checkpoint,
    threads: 1,
  });
  return numbersOf((await session.run({})).joined!);
};

describe('a sharded checkpoint', () => {
  test('is read from all of its files', async () => {
    await withFolder(async (folder) => {
      await writeShards(folder, { metadata: {}, weight_map: { a: FIRST, b: SECOND } });
      const checkpoint = await openCheckpoint(folder);
      expect(checkpoint.files.map((file) => basename(file))).toEqual([FIRST, SECOND]);
      expect(checkpoint.sizeBytes).toBe(20);
      expect(await readBoth(checkpoint)).toEqual([1, 2, 3, 4, 5]);
    });
  });

  test('may have a tensor of any name', async () => {
    const shards = { [FIRST]: Object.fromEntries([['__proto__', A]]) };
    const checkpoint = await withShards(`{"weight_map":{"__proto__":"${FIRST}"}}`, shards);
    expect([...checkpoint.tensors.keys()]).toEqual(['__proto__']);
  });

  const both = { [FIRST]: { a: A }, [SECOND]: { a: A, b: B } };
  test.each<[string, unknown, string, Shards?]>([
    ['a shard above', { weight_map: { a: `../${FIRST}` } }, 'puts tensor "a" into "../model-'],
    ['a shard below', { weight_map: { a: `x/${FIRST}` } }, 'shards are files of the same folder'],
    ['an absolute shard', { weight_map: { a: '/etc/passwd' } }, 'into "/etc/passwd"'],
    ['a Windows path', { weight_map: { a: 'C:\\w.safetensors' } }, 'shards are files'],
    ['the folder itself', { weight_map: { a: '.' } }, 'shards are files of the same folder'],
    ['a hidden file', { weight_map: { a: '.w.safetensors' } }, 'shards are files'],
    ['a nul byte', { weight_map: { a: 'w\u0000.safetensors' } }, 'shards are files'],
    ['no name', { weight_map: { a: '' } }, 'into ""'],
    ['a number', { weight_map: { a: 1 } }, 'into 1'],
    ['an endless name', { weight_map: { a: 'w'.repeat(1e6) } }, 'shards are files'],
    [
      'a missing shard',
      { weight_map: { a: FIRST, b: 'gone.safetensors' } },
      'gone.safetensors, which',
    ],
    ['no map', { weight: {} }, 'has no weight_map'],
    ['a map that is a list', { weight_map: [FIRST] }, 'has no weight_map'],
    ['null', 'null', 'has no weight_map'],
    ['no JSON', '{"weight_map":', 'is not JSON'],
    ['a bomb', '['.repeat(1e6), 'nested more than 8 deep'],
    [
      'a tensor twice',
      `{"weight_map":{"a":"${FIRST}","\\u0061":"${SECOND}"}}`,
      '"a" is listed twice',
    ],
    [
      'a tensor that is missing',
      { weight_map: { a: FIRST, c: FIRST } },
      `${FIRST} lacks tensor 'c'`,
    ],
    ['a tensor in the wrong shard', { weight_map: { a: SECOND, b: FIRST } }, "tensor 'b' lies in"],
    ['a tensor in two shards', { weight_map: { a: FIRST, b: SECOND } }, "tensor 'a' lies in", both],
  ])('is refused with %s', async (_, index, message, shards) => {
    const error = await withShards(index, shards).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CHECKPOINT_INVALID' });
    expect((error as Error).message).toContain(message);
    expect((error as Error).message.length).toBeLessThan(400);
  });

  test('is refused with a tensor in two shards that the index does not know', async () => {
    const shards = { [FIRST]: { a: A, c: A }, [SECOND]: { b: B, c: A } };
    await expect(withShards({ weight_map: { a: FIRST, b: SECOND } }, shards)).rejects.toThrow(
      "tensor 'c' lies in",
    );
  });
});

describe('links', () => {
  test('out of the folder are refused', async () => {
    await withFolder(async (root) => {
      const folder = join(root, 'model');
      await mkdir(folder);
      await writeCheckpoint(root, { a: A });
      await symlink(join(root, SINGLE_FILE), join(folder, SINGLE_FILE));
      await expect(openCheckpoint(folder)).rejects.toThrow(
        'model.safetensors is a link that leads out',
      );
    });
  });

  test('out of the folder are refused for an index and for a shard too', async () => {
    await withFolder(async (root) => {
      const folder = join(root, 'model');
      await mkdir(folder);
      await writeShards(root, { weight_map: { a: FIRST } });
      await symlink(join(root, INDEX_FILE), join(folder, INDEX_FILE));
      await expect(openCheckpoint(folder)).rejects.toThrow('index.json is a link that leads out');
      await rename(join(root, INDEX_FILE), join(root, 'moved'));
      const other = join(root, 'other');
      await mkdir(other);
      await writeFile(join(other, INDEX_FILE), JSON.stringify({ weight_map: { a: FIRST } }));
      await symlink(join(root, FIRST), join(other, FIRST));
      await expect(openCheckpoint(other)).rejects.toThrow(`${FIRST} is a link that leads out`);
    });
  });

  test('within the folder are followed', async () => {
    await withFolder(async (folder) => {
      await writeCheckpoint(folder, { a: A, b: B });
      await rename(join(folder, SINGLE_FILE), join(folder, 'real.bin'));
      await symlink('real.bin', join(folder, SINGLE_FILE));
      expect(await readBoth(await openCheckpoint(folder))).toEqual([1, 2, 3, 4, 5]);
    });
  });

  test('of a hub cache, from a snapshot into its blobs, are followed', async () => {
    await withFolder(async (root) => {
      const model = join(root, 'models--owner--name');
      const snapshot = join(model, 'snapshots', '0123abcd');
      await mkdir(join(model, 'blobs'), { recursive: true });
      await mkdir(snapshot, { recursive: true });
      await writeCheckpoint(snapshot, { a: A, b: B });
      await rename(join(snapshot, SINGLE_FILE), join(model, 'blobs', 'cafe'));
      await symlink('../../blobs/cafe', join(snapshot, SINGLE_FILE));
      expect(await readBoth(await openCheckpoint(snapshot))).toEqual([1, 2, 3, 4, 5]);
    });
  });

  test('of a hub cache must not leave the model', async () => {
    await withFolder(async (root) => {
      const snapshot = join(root, 'models--owner--name', 'snapshots', '0123abcd');
      await mkdir(snapshot, { recursive: true });
      await writeCheckpoint(root, { a: A });
      await symlink(join(root, SINGLE_FILE), join(snapshot, SINGLE_FILE));
      await expect(openCheckpoint(snapshot)).rejects.toThrow('is a link that leads out');
    });
  });
});

test('a folder that is no checkpoint is named', async () => {
  await withFolder(async (folder) => {
    await expect(openCheckpoint(folder)).rejects.toThrow(
      'holds neither model.safetensors nor model.safetensors.index.json',
    );
    await expect(openCheckpoint(join(folder, 'gone'))).rejects.toThrow('there is no checkpoint');
    await mkdir(join(folder, SINGLE_FILE));
    await expect(openCheckpoint(folder)).rejects.toThrow('model.safetensors is not a file');
  });
});
