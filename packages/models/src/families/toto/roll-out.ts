/**
 * Toto 1.0's roll-out (toto, inference/forecaster.py): each run adds a patch to every chain. The context is
 * read once, whatever the number of chains, for until its end they are the same.
 */
import type { TensorValue } from '@tollama/graph';
import type { RunGraph } from '../../family.ts';
import { type Moments, NO_MOMENTS } from '../../nn/causal-moments.ts';
import { type Config, timeLayers } from './config.ts';
import { type PatchMixture, patchMixture } from './mixture.ts';
import { type ObservePatch, type PatchScales, patchObserver, standardized } from './scaler.ts';

/** A variate of a batch. */
export interface Row {
  /** Whole patches; zeros where missing. */
  readonly context: Float32Array;
  /** 1 where a value is known. */
  readonly observed: Uint8Array;
  readonly group: number;
  /** What is known of the horizon, for covariates known ahead: zeros after its end. */
  readonly future?: Float32Array | undefined;
  /** Whether it is a covariate, for checkpoints that tell these apart. */
  readonly isCovariate: boolean;
}

export interface RollOut {
  /** Series by series, each with as many variates; all contexts are of one length. */
  readonly rows: readonly Row[];
  readonly variates: number;
  readonly chains: number;
  /** Patches to add. */
  readonly patches: number;
  /** Whether runs remember keys and values, or read everything again with positions of their own. */
  readonly useCache: boolean;
  /** The values of the next patch of a chain. */
  readonly next: (mixture: PatchMixture, row: number, chain: number, step: number) => Float32Array;
}

/** One path of one row on its way. */
interface Chain {
  moments: Moments;
  scales: PatchScales;
  /** All patches, standardised by what was known at their ends. */
  readonly scaled: Float32Array[];
  readonly added: Float32Array;
}

type Feeds = Record<string, TensorValue>;

/** A chain that nothing was added to. */
type Start = Omit<Chain, 'added'>;

const startOf = (row: Row, observe: ObservePatch, size: number): Start => {
  const scaled: Float32Array[] = [];
  let moments = NO_MOMENTS;
  let scales: PatchScales = [];
  for (let at = 0; at < row.context.length; at += size) {
    const values = row.context.subarray(at, at + size);
    ({ moments, scales } = observe(moments, values, row.observed.subarray(at, at + size)));
    scaled.push(standardized(values, scales));
  }
  return { moments, scales, scaled };
};

const tensor = (dims: readonly number[], data: Float32Array): TensorValue => {
  return { dtype: 'float32', dims, data };
};

/** Patches [b, v, chains, fresh, P] of all rows, each chain's own. */
const patchesOf = (
  chains: readonly (readonly (readonly Float32Array[])[])[],
  variates: number,
  size: number,
): TensorValue => {
  const [rows, perRow, fresh] = [chains.length, chains[0]!.length, chains[0]![0]!.length];
  const data = new Float32Array(rows * perRow * fresh * size);
  chains.flat(2).forEach((patch, i) => void data.set(patch, i * size));
  return tensor([rows / variates, variates, perRow, fresh, size], data);
};

/** Ids of all rows, the same for each chain. */
const integers = (dims: readonly number[], values: readonly number[]): TensorValue => {
  const size = dims.reduce((a, b) => a * b, 1);
  const data = new BigInt64Array(size);
  for (let i = 0; i < size; i++) data[i] = BigInt(values[Math.floor((i * values.length) / size)]!);
  return { dtype: 'int64', dims, data };
};

const memoryNames = (c: Config, kind: 'prefix' | 'own' | 'next'): string[] =>
  timeLayers(c).flatMap((_, i) => [`${kind}_key_${i}`, `${kind}_value_${i}`]);

/** Nothing remembered yet: of the context, or of the chains alone. */
const emptyMemory = (c: Config, kind: 'prefix' | 'own', rows: number, chains: number): Feeds => {
  const width = c.embed_dim / c.num_heads;
  const lead = kind === 'prefix' ? [rows, c.num_heads] : [rows, chains, c.num_heads];
  const none = tensor([...lead, 0, width], new Float32Array(0));
  return Object.fromEntries(memoryNames(c, kind).map((name) => [name, none]));
};

/** What the run of the context leaves, for all chains: [r, 1, h, n, k] is [r, h, n, k]. */
const sharedMemory = (results: Readonly<Feeds>, c: Config): Feeds =>
  Object.fromEntries(
    memoryNames(c, 'next').map((name) => {
      const { dims, data } = results[name]!;
      const [rows, , ...rest] = dims as [number, number, ...number[]];
      return [name.replace('next', 'prefix'), tensor([rows, ...rest], data as Float32Array)];
    }),
  );

const ownMemory = (results: Readonly<Feeds>, c: Config): Feeds =>
  Object.fromEntries(
    memoryNames(c, 'next').map((name) => [name.replace('next', 'own'), results[name]!]),
  );

/** Chains of one row, each of which goes its own way from the start of all. */
const startChains = (start: Start, count: number, length: number): Chain[] =>
  Array.from({ length: count }, () => ({
    ...start,
    scaled: [...start.scaled],
    added: new Float32Array(length),
  }));

/** Writes the next patch of a chain, and what is known instead of it, and goes on from there. */
const extend = (
  chain: Chain,
  values: Float32Array,
  { future }: Row,
  observe: ObservePatch,
  step: number,
): void => {
  const at = step * values.length;
  const patch = future ? future.slice(at, at + values.length) : values;
  chain.added.set(patch, at);
  const { moments, scales } = observe(chain.moments, patch);
  chain.moments = moments;
  chain.scales = scales;
  chain.scaled.push(standardized(patch, scales));
};

/** Nothing remembered, neither of the context nor of the chains. */
const noMemory = (c: Config, rows: number, chains: number): Feeds => ({
  ...emptyMemory(c, 'prefix', rows, chains),
  ...emptyMemory(c, 'own', rows, chains),
});

/** The values that were added to each chain: [rows][chains][patches * P]. */
export const rollOut = async (
  run: RunGraph,
  c: Config,
  { rows, variates, chains: count, patches, useCache, next }: RollOut,
): Promise<readonly (readonly Float32Array[])[]> => {
  const { patch_size: size } = c;
  const observers = rows.map((row) => patchObserver(row.context, row.observed, c));
  const starts = rows.map((row, r) => startOf(row, observers[r]!, size));
  const chains = starts.map((start) => startChains(start, count, patches * size));
  const groups = rows.map(({ group }) => group);
  const labels = rows.map(({ isCovariate }) => (isCovariate ? 1 : 0));
  const batch = rows.length / variates;
  let memory = noMemory(c, rows.length, 1);
  for (let step = 0; step < patches; step++) {
    const isFirst = step === 0;
    const fresh = isFirst
      ? starts.map(({ scaled }) => [scaled])
      : chains.map((own) => own.map(({ scaled }) => (useCache ? scaled.slice(-1) : scaled)));
    const perRow = fresh[0]!.length;
    const labelled = isFirst || !useCache ? 1 : 0;
    const feeds = {
      patches: patchesOf(fresh, variates, size),
      groups: integers([batch, variates], groups),
      labels: integers([batch, variates, perRow, labelled], labels),
      ...memory,
    };
    const isKept = useCache && step + 1 < patches;
    const wanted = ['df', 'loc', 'scale', 'probs', ...(isKept ? memoryNames(c, 'next') : [])];
    const results = await run('forward', feeds, wanted);
    chains.forEach((own, r) => {
      own.forEach((chain, s) => {
        const mixture = patchMixture(results, r * perRow + (isFirst ? 0 : s), chain.scales);
        extend(chain, next(mixture, r, s, step), rows[r]!, observers[r]!, step);
      });
    });
    if (!isKept) memory = noMemory(c, rows.length, count);
    else if (!isFirst) memory = { ...memory, ...ownMemory(results, c) };
    else memory = { ...sharedMemory(results, c), ...emptyMemory(c, 'own', rows.length, count) };
  }
  return chains.map((own) => own.map(({ added }) => added));
};
