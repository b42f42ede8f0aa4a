import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { link, mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { defineGraph } from '../graph.ts';
import * as ops from '../ops.ts';
import type { Checkpoint } from '../safetensors/checkpoint.ts';
import { numbersOf, tensorOf, withFolder, writeCheckpoint } from '../testing/run-graph.ts';
import { openSession } from './session.ts';
import { makeModelFolder } from './weight-store.ts';

const WEIGHTS = {
  w: tensorOf(
    [64, 64],
    Array.from({ length: 4096 }, (_, i) => i / 4096),
  ),
};
const x = ops.input('x', [1, 64]);
const graph = defineGraph('g', [x], {
  y: ops.affine(x, ops.parameter('w', [64, 64], 'float32')),
});
const FEEDS = { x: tensorOf([1, 64], Array(64).fill(1)) };

/** A checkpoint, and a place for model folders that does not exist yet. */
const withCache = (use: (checkpoint: Checkpoint, cacheDir: string) => Promise<void>) =>
  withFolder(async (folder) => {
    await use(await writeCheckpoint(folder, WEIGHTS), join(folder, 'cache', 'graphs'));
  });

const runIn = async (
  checkpoint: Checkpoint,
  cacheDir: string,
  precision: 'float32' | 'int8' = 'float32',
): Promise<number[]> => {
  await using session = await openSession(graph, { checkpoint, threads: 1, cacheDir, precision });
  return numbersOf((await session.run(FEEDS)).y!);
};

/** Every file of the cache with its identity and the time of its last change. */
const filesOf = async (cacheDir: string): Promise<string[]> => {
  const names = (await readdir(cacheDir, { recursive: true })).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const { ino, size, mtimeMs } = await stat(join(cacheDir, name));
      return `${name} ${ino} ${size} ${mtimeMs}`;
    }),
  );
};

const SUMS = Array.from({ length: 64 }, (_, row) => (row * 64 * 64 + 2016) / 4096);

describe('a kept folder', () => {
  test.each(['float32', 'int8'] as const)('is made once (%s)', async (precision) => {
    await withCache(async (checkpoint, cacheDir) => {
      const first = await runIn(checkpoint, cacheDir, precision);
      const before = await filesOf(cacheDir);
      expect(await runIn(checkpoint, cacheDir, precision)).toEqual(first);
      expect(await filesOf(cacheDir)).toEqual(before);
      if (precision === 'float32') expect(first).toEqual(SUMS);
    });
  });

  test('holds a link to the weights, no copy', async () => {
    await withCache(async (checkpoint, cacheDir) => {
      await runIn(checkpoint, cacheDir);
      const [folder] = await readdir(cacheDir);
      const linked = await stat(join(cacheDir, folder!, 'weights-0.safetensors'));
      expect(linked.ino).toBe((await stat(checkpoint.files[0]!)).ino);
    });
  });

  test('is another one for other weights', async () => {
    await withCache(async (checkpoint, cacheDir) => {
      await runIn(checkpoint, cacheDir);
      await withFolder(async (folder) => {
        const doubled = tensorOf(
          [64, 64],
          [...WEIGHTS.w.data].map((w) => Number(w) * 2),
        );
        const other = await writeCheckpoint(folder, { w: doubled });
        expect(await runIn(other, cacheDir)).toEqual(SUMS.map((sum) => sum * 2));
      });
      expect(await readdir(cacheDir)).toHaveLength(2);
    });
  });

  test.each(['graph.onnx', 'weights-0.safetensors'])('is made again without %s', async (name) => {
    await withCache(async (checkpoint, cacheDir) => {
      await runIn(checkpoint, cacheDir);
      const [folder] = await readdir(cacheDir);
      await rm(join(cacheDir, folder!, name));
      expect(await runIn(checkpoint, cacheDir)).toEqual(SUMS);
      expect(await readdir(cacheDir)).toEqual([folder]);
    });
  });

  test('is made by many at once', async () => {
    await withCache(async (checkpoint, cacheDir) => {
      const all = await Promise.all([1, 2, 3, 4].map(() => runIn(checkpoint, cacheDir, 'int8')));
      for (const sums of all) expect(sums).toEqual(all[0]);
      expect(await readdir(cacheDir)).toHaveLength(1);
    });
  });
});

const runProcess = async (script: string): Promise<string> => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  return output;
};

test('two processes open one graph in one cache', async () => {
  await withCache(async (checkpoint, cacheDir) => {
    const module = JSON.stringify(new URL('../index.ts', import.meta.url).href);
    const script = `
      import { affine, defineGraph, input, openCheckpoint, openSession, parameter } from ${module};
      const checkpoint = await openCheckpoint(${JSON.stringify(checkpoint.folder)});
      const x = input('x', [1, 64]);
      const graph = defineGraph('g', [x], { y: affine(x, parameter('w', [64, 64], 'float32')) });
      const options = { checkpoint, threads: 1, cacheDir: ${JSON.stringify(cacheDir)} };
      await using session = await openSession(graph, options);
      const feeds = { x: { dtype: 'float32', dims: [1, 64], data: new Float32Array(64).fill(1) } };
      console.log(JSON.stringify([...(await session.run(feeds)).y.data]));`;
    const outputs = await Promise.all([runProcess(script), runProcess(script)]);
    for (const output of outputs) expect(JSON.parse(output)).toEqual(SUMS);
    expect(await readdir(cacheDir)).toHaveLength(1);
  });
});

describe('what a crash left', () => {
  test('does no harm while it is young, and goes when it is old', async () => {
    await withCache(async (checkpoint, cacheDir) => {
      const [young, old] = ['aaaa.partial-young1', 'bbbb.partial-old123'] as const;
      for (const name of [young, old]) {
        await mkdir(join(cacheDir, name), { recursive: true });
        await writeFile(join(cacheDir, name, 'graph.onnx'), 'half of it');
      }
      const longAgo = new Date(Date.now() - 48 * 60 * 60 * 1000);
      await utimes(join(cacheDir, old), longAgo, longAgo);
      expect(await runIn(checkpoint, cacheDir)).toEqual(SUMS);
      const left = await readdir(cacheDir);
      expect(left).toContain(young);
      expect(left).not.toContain(old);
      expect(left).toHaveLength(2);
    });
  });
});

/** A file system without links, as its error has it. */
const failing = (code: string) => async (): Promise<void> => {
  throw Object.assign(new Error(`${code}: no link`), { code });
};

describe('where a link cannot be made', () => {
  const onnx = Uint8Array.of(1, 2, 3);

  test.each(['EXDEV', 'EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'])(
    'for %s, a copy is',
    async (code) => {
      await withCache(async (checkpoint, cacheDir) => {
        const { modelFile } = await makeModelFolder({
          checkpoint,
          onnx,
          cacheDir,
          link: failing(code),
        });
        const copied = await stat(join(modelFile, '..', 'weights-0.safetensors'));
        const source = await stat(checkpoint.files[0]!);
        expect(copied.size).toBe(source.size);
        expect(copied.ino).not.toBe(source.ino);
      });
    },
  );

  test('for any other reason, the error says where, and nothing stays', async () => {
    await withCache(async (checkpoint, cacheDir) => {
      const request = { checkpoint, onnx, cacheDir, link: failing('EIO') };
      await expect(makeModelFolder(request)).rejects.toMatchObject({
        code: 'INTERNAL',
        message: expect.stringContaining('cannot write the model folder'),
        hint: 'check that the place is writable and has space',
      });
      expect(await readdir(cacheDir)).toEqual([]);
    });
  });

  test('a temporary folder that fails is removed', async () => {
    await withCache(async (checkpoint) => {
      let place = '';
      const request = {
        checkpoint,
        onnx,
        link: async (from: string, to: string) => {
          place = join(to, '..');
          await link(from, to);
          throw Object.assign(new Error('EIO'), { code: 'EIO' });
        },
      };
      await expect(makeModelFolder(request)).rejects.toThrow('cannot write');
      expect(place.startsWith(tmpdir())).toBe(true);
      await expect(stat(place)).rejects.toMatchObject({ code: 'ENOENT' });
    });
  });

  const OTHER = '/dev/shm';
  const deviceOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.dev;
  const isElsewhere = ![undefined, deviceOf(tmpdir())].includes(deviceOf(OTHER));

  test.runIf(isElsewhere)('between file systems, a session works all the same', async () => {
    await withCache(async (checkpoint) => {
      const cacheDir = join(OTHER, `tollama-test-${process.pid}`);
      try {
        expect(await runIn(checkpoint, cacheDir)).toEqual(SUMS);
      } finally {
        await rm(cacheDir, { recursive: true, force: true });
      }
    });
  });
});
