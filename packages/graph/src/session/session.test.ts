import { readdir } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import { describe, expect, test, vi } from 'vitest';
import { addDims, multiplyDims, symbol } from '../dimension.ts';
import { defineGraph } from '../graph.ts';
import * as ops from '../ops.ts';
import { numbersOf, tensorOf, withFolder, writeCheckpoint } from '../testing/run-graph.ts';
import type { Feeds } from './feeds.ts';
import type { Device, Precision, SessionOptions } from './options.ts';
import { openSession } from './session.ts';

const x = ops.input('x', ['batch', multiplyDims(4, symbol('n'))]);
const mask = ops.input('mask', ['batch', addDims(symbol('n'), 1)], 'bool');
const graph = defineGraph('masked', [x, mask], { y: ops.mul(x, 2), n: ops.cast(mask, 'int64') });

const FEEDS: Feeds = {
  x: tensorOf([1, 8], [1, 2, 3, 4, 5, 6, 7, 8]),
  mask: tensorOf([1, 3], [1, 0, 1], 'bool'),
};

const thrownBy = async (work: () => Promise<unknown>): Promise<TollamaError> => {
  const error = await work().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TollamaError);
  return error as TollamaError;
};

/** What lies in a place for temporary folders that nobody else uses, after the work. */
const leftBy = (work: () => Promise<unknown>): Promise<string[]> =>
  withFolder(async (folder) => {
    for (const name of ['TMPDIR', 'TEMP', 'TMP']) vi.stubEnv(name, folder);
    try {
      await work();
      return await readdir(folder);
    } finally {
      vi.unstubAllEnvs();
    }
  });

test('a session runs as often as asked, also at once', async () => {
  await using session = await openSession(graph, { threads: 1 });
  const runs = await Promise.all([1, 2, 3].map(() => session.run(FEEDS)));
  for (const { y, n } of runs) {
    expect(y).toMatchObject({ dtype: 'float32', dims: [1, 8] });
    expect(numbersOf(y!)).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
    expect(n).toMatchObject({ dtype: 'int64', dims: [1, 3] });
    expect(numbersOf(n!)).toEqual([1, 0, 1]);
  }
});

describe('feeds are refused', () => {
  const { x: points, mask: flags } = FEEDS;
  const refused: readonly (readonly [string, Feeds, string])[] = [
    ['without an input', { x: points! }, "input 'mask' is missing"],
    ['with an unknown name', { ...FEEDS, X: points! }, "has no input 'X'; its inputs are x, mask"],
    [
      'of another rank',
      { ...FEEDS, x: tensorOf([8], points!.data as never) },
      "input 'x' is [8], expected [batch, 4*n]",
    ],
    [
      'of a size that is no multiple',
      { ...FEEDS, x: tensorOf([1, 6], [1, 2, 3, 4, 5, 6]) },
      "input 'x' is [1, 6], expected [batch, 4*n]: 6 is no 4*n with a whole n",
    ],
    [
      'of sizes that disagree',
      { ...FEEDS, mask: tensorOf([1, 4], [1, 0, 1, 1], 'bool') },
      "input 'mask' is [1, 4], expected [batch, n+1] where batch = 1, n = 2",
    ],
    [
      'of batches that disagree',
      { ...FEEDS, mask: tensorOf([2, 3], [1, 0, 1, 1, 0, 1], 'bool') },
      "input 'mask' is [2, 3], expected [batch, n+1] where batch = 1, n = 2",
    ],
    [
      'of another type',
      { ...FEEDS, mask: tensorOf([1, 3], [1, 0, 1]) },
      "input 'mask' is float32, expected bool",
    ],
    [
      'in another array',
      { ...FEEDS, x: { ...points!, data: Float64Array.of(1) } },
      "input 'x' holds a Float64Array, float32 travels in a Float32Array",
    ],
    [
      'with too few values',
      { ...FEEDS, x: { ...points!, data: Float32Array.of(1, 2) } },
      "input 'x' holds 2 values, its shape [1, 8] needs 8",
    ],
    [
      'with too few flags',
      { ...FEEDS, mask: { ...flags!, data: Uint8Array.of(1) } },
      "input 'mask' holds 1 values",
    ],
  ];
  test.each(refused)('%s', async (_, feeds, message) => {
    await using session = await openSession(graph, { threads: 1 });
    const error = await thrownBy(() => session.run(feeds));
    expect(error.code).toBe('INTERNAL');
    expect(error.message).toContain(`graph 'masked': `);
    expect(error.message).toContain(message);
    // The session is none the worse.
    expect((await session.run(FEEDS)).y!.dims).toEqual([1, 8]);
  });
});

describe('options are refused', () => {
  test.each<[Partial<SessionOptions>, string]>([
    [{ threads: 0 }, 'threads = 0 is not a whole number of 1 or more'],
    [{ threads: 1.5 }, 'threads = 1.5 is not'],
    [{ threads: Number.NaN }, 'threads = NaN is not'],
    [{ precision: 'in8' as Precision }, "unknown precision 'in8'"],
    [{ device: 'gpu' as Device }, "unknown device 'gpu'"],
  ])('%o', async (options, message) => {
    const error = await thrownBy(() => openSession(graph, { threads: 1, ...options }));
    expect(error.code).toBe('INVALID_REQUEST');
    expect(error.message).toContain(message);
    expect(error.hint).toBeTruthy();
  });

  test('a near miss is guessed', async () => {
    const options = { threads: 1, device: 'cud' as Device };
    expect((await thrownBy(() => openSession(graph, options))).hint).toContain("mean 'cuda'?");
  });
});

// Devices that no build for this system has; onnxruntime would fall back to the CPU without a word.
const ABSENT: Device = process.platform === 'win32' ? 'coreml' : 'dml';

test('a device that is not here is missing, never replaced', async () => {
  const left = await leftBy(async () => {
    const error = await thrownBy(() => openSession(graph, { threads: 1, device: ABSENT }));
    expect(error.code).toBe('DEPENDENCY_MISSING');
    expect(error.message).toContain(`device '${ABSENT}' is not usable here`);
    expect(error.hint).toContain('--device cpu');
  });
  expect(left).toEqual([]);
});

test('cuda runs, or is said to be missing', async () => {
  try {
    await using session = await openSession(graph, { threads: 1, device: 'cuda' });
    expect(numbersOf((await session.run(FEEDS)).y!)[0]).toBe(2);
  } catch (error) {
    expect(error).toMatchObject({ code: 'DEPENDENCY_MISSING', hint: 'use --device cpu' });
  }
});

describe('parameters must be those of the checkpoint', () => {
  const weights = { w: tensorOf([2], [1, 2]) };
  test.each([
    ['missing', ops.parameter('v', [2], 'float32'), "tensor 'v' is missing, expected float32[2]"],
    ['of another shape', ops.parameter('w', [3], 'float32'), "tensor 'w' is float32[2], expected"],
    ['of another type', ops.parameter('w', [2], 'float16'), 'expected float16[2]'],
  ])('one that is %s is refused', async (_, w, message) => {
    await withFolder(async (folder) => {
      const checkpoint = await writeCheckpoint(folder, weights);
      const asked = defineGraph('g', [], { w });
      const error = await thrownBy(() => openSession(asked, { checkpoint, threads: 1 }));
      expect(error.code).toBe('CHECKPOINT_INVALID');
      expect(error.message).toContain(message);
    });
  });
});

test('a graph that onnxruntime refuses is invalid, and leaves nothing behind', async () => {
  // Shapes fit, but no kernel computes with these types.
  const bits = ops.input('bits', [2], 'int8');
  const bad = defineGraph('bad', [bits], { y: ops.pow(bits, bits) });
  const left = await leftBy(async () => {
    const error = await thrownBy(() => openSession(bad, { threads: 1 }));
    expect(error.code).toBe('GRAPH_INVALID');
    expect(error.message).toContain("onnxruntime refuses graph 'bad'");
  });
  expect(left).toEqual([]);
});

describe('an end', () => {
  test('waits for runs, leaves no folder, and may be asked for twice', async () => {
    const left = await leftBy(async () => {
      const session = await openSession(graph, { threads: 1 });
      const running = session.run(FEEDS);
      await Promise.all([session[Symbol.asyncDispose](), session[Symbol.asyncDispose]()]);
      expect((await running).y!.dims).toEqual([1, 8]);
    });
    expect(left).toEqual([]);
  });

  test('is final', async () => {
    const session = await openSession(graph, { threads: 1 });
    await session[Symbol.asyncDispose]();
    const error = await thrownBy(() => session.run(FEEDS));
    expect(error.message).toBe("graph 'masked' is closed");
  });
});
