/**
 * Lag-Llama's roll-out (lag_llama/gluon/lightning_module.py, `forward`): one value at a time for each path.
 * Every drawn value moves the scaler, and with it the features of all tokens, so each step reads the whole
 * context again, unless keys and values are remembered as they were.
 */
import type { TensorValue } from '@tollama/graph';
import type { RunGraph } from '../../family.ts';
import { blockLength, LEAST_TOKENS } from './causal-blocks.ts';
import { type Config, farthestLag, TIME_FEATURES } from './config.ts';
import { type Head, headOf, type NextValue } from './heads.ts';
import { type PathScaler, pathScaler, type Scaling } from './path-scaler.ts';
import type { RobustScale } from './robust-scaler.ts';
import { timeFeatures } from './time-features.ts';

/** The window of one series. */
export interface Row {
  /** The farthest lag and the context; zeros where nothing is known. */
  readonly window: Float32Array;
  /** The known values of the window, in any order. */
  readonly known: Float32Array;
  readonly calendar: Parameters<typeof timeFeatures>[0];
  /** The period of the first token of the context, counted from the first point of the series. */
  readonly firstPeriod: number;
}

export interface RollOut {
  readonly rows: readonly Row[];
  readonly paths: number;
  readonly horizon: number;
  /** Whether keys and values are remembered, over a context that slides. */
  readonly useCache: boolean;
  /** The level in [0, 1) that an implicit head turns into the next value of a path. */
  readonly level: (row: number, path: number, step: number) => number;
  /** The next value of a path. */
  readonly next: (next: NextValue, row: number, path: number, step: number) => number;
}

type Feeds = Record<string, TensorValue>;

/** One path of one row: the window and what was added to it, and what scales them. */
interface Path {
  readonly values: Float32Array;
  readonly scaler: PathScaler;
}

const tensor = (dims: readonly number[], data: Float32Array): TensorValue => {
  return { dtype: 'float32', dims, data };
};

const startPaths = (
  { window, known }: Row,
  count: number,
  horizon: number,
  scaling: Scaling,
): Path[] =>
  Array.from({ length: count }, () => {
    const values = new Float32Array(window.length + horizon);
    values.set(window);
    return { values, scaler: pathScaler(scaling, known, horizon) };
  });

/** Values, scales and calendar of the `fresh` newest tokens of all paths, `end` points of which are known. */
const tokenFeeds = (
  rows: readonly Row[],
  paths: readonly (readonly Path[])[],
  end: number,
  fresh: number,
  c: Config,
): Feeds => {
  const lag = farthestLag(c);
  const [series, perRow, length] = [rows.length, paths[0]!.length, lag + fresh];
  const all = paths.flat();
  const values = new Float32Array(all.length * length);
  all.forEach((path, i) => void values.set(path.values.subarray(end - length, end), i * length));
  const calendar = new Float32Array(series * fresh * TIME_FEATURES);
  rows.forEach(({ calendar: periods, firstPeriod }, b) => {
    const from = firstPeriod + end - fresh - lag;
    calendar.set(timeFeatures(periods, from, fresh), b * fresh * TIME_FEATURES);
  });
  return {
    values: tensor([series, perRow, length], values),
    loc: tensor(
      [series, perRow],
      Float32Array.from(all, ({ scaler }) => scaler.affine.loc),
    ),
    scale: tensor(
      [series, perRow],
      Float32Array.from(all, ({ scaler }) => scaler.affine.scale),
    ),
    calendar: tensor([series, fresh, TIME_FEATURES], calendar),
  };
};

const memoryNames = (c: Config): string[] =>
  Array.from({ length: c.model_kwargs.n_layer }, (_, i) => [`key_${i}`, `value_${i}`]).flat();

const emptyMemory = (c: Config, rows: number): Feeds => {
  const width = c.model_kwargs.n_head * c.model_kwargs.n_embd_per_head;
  const none = tensor([rows, 0, width], new Float32Array(0));
  return Object.fromEntries(memoryNames(c).map((name) => [`past_${name}`, none]));
};

/** Tells the length of a block of queries by its own. */
const blockFeed = (fresh: number): Feeds => {
  const length = blockLength(fresh);
  return { block: { dtype: 'int64', dims: [length], data: new BigInt64Array(length) } };
};

/** What a run leaves, for each of `copies` paths that go on from one. */
const remembered = (results: Readonly<Feeds>, c: Config, copies: number): Feeds =>
  Object.fromEntries(
    memoryNames(c).map((name) => {
      const result = results[`next_${name}`]!;
      if (copies === 1) return [`past_${name}`, result];
      const { dims, data } = result;
      const [rows, ...rest] = dims as [number, number, number];
      const size = rest[0]! * rest[1]!;
      const spread = new Float32Array(rows * copies * size);
      for (let i = 0; i < rows * copies; i++) {
        const from = Math.floor(i / copies) * size;
        spread.set((data as Float32Array).subarray(from, from + size), i * size);
      }
      return [`past_${name}`, tensor([rows * copies, ...rest], spread)];
    }),
  );

const nextValue = (
  results: Readonly<Feeds>,
  { outputs }: Head,
  i: number,
  affine: RobustScale,
): NextValue => {
  const at = (name: string): number => (results[name]!.data as Float32Array)[i]!;
  return { parameters: Object.fromEntries(outputs.map((name) => [name, at(name)])), affine };
};

/** The levels of all paths at a step, [rows, paths] where the paths of a row are one and [rows * paths, 1] elsewhere. */
const levelFeed = ({ rows, paths, level }: RollOut, step: number): Feeds => {
  const data = Float32Array.from({ length: rows.length * paths }, (_, i) =>
    level(Math.floor(i / paths), i % paths, step),
  );
  return { levels: tensor(step === 0 ? [rows.length, paths] : [data.length, 1], data) };
};

/** The values that were added to each path: [rows][paths][horizon]. */
export const rollOut = async (
  run: RunGraph,
  c: Config,
  task: RollOut,
): Promise<readonly (readonly Float32Array[])[]> => {
  const { rows, paths: count, horizon, useCache, next } = task;
  const head = headOf(c);
  const start = rows[0]!.window.length;
  const context = start - farthestLag(c);
  const paths = rows.map((row) => startPaths(row, count, horizon, c.model_kwargs.scaling));
  let memory = emptyMemory(c, rows.length);
  for (let step = 0; step < horizon; step++) {
    // Until the first draw the paths of a series are one.
    const isFirst = step === 0;
    const read = isFirst ? paths.map(([first]) => [first!]) : paths;
    const fresh = isFirst ? context : useCache ? 1 : context + step;
    const tokens = tokenFeeds(rows, read, start + step, fresh, c);
    const feeds = head.isImplicit ? { ...tokens, ...levelFeed(task, step) } : tokens;
    const isKept = useCache && step + 1 < horizon;
    const kept = isKept ? memoryNames(c).map((name) => `next_${name}`) : [];
    const wanted = [...head.outputs, ...kept];
    const results =
      !useCache && fresh >= LEAST_TOKENS
        ? await run('blocks', { ...feeds, ...blockFeed(fresh) }, wanted)
        : await run('forward', { ...feeds, ...memory }, wanted);
    paths.forEach((own, b) => {
      own.forEach((path, p) => {
        const i = isFirst && !head.isImplicit ? b : b * count + p;
        const value = Math.fround(
          next(nextValue(results, head, i, path.scaler.affine), b, p, step),
        );
        path.values[start + step] = value;
        path.scaler.insert(value);
      });
    });
    memory = isKept
      ? remembered(results, c, isFirst ? count : 1)
      : emptyMemory(c, rows.length * count);
  }
  return paths.map((own) => own.map(({ values }) => values.slice(start)));
};
