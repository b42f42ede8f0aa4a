/** Horizons beyond one pass (chronos2/pipeline.py): paths along quantiles of the forecast so far. */
import type { RunGraph } from '../../family.ts';
import type { Chronos2Config } from './config.ts';
import { interpolateLevels, pathMasses, weightedQuantiles } from './levels.ts';
import { type Fans, forwardGroups } from './passes.ts';
import type { Row } from './rows.ts';

export interface Plan {
  readonly horizon: number;
  /** Patches of one pass. */
  readonly maxPatches: number;
  /** Levels that are followed beyond it. */
  readonly paths: readonly number[];
  /** Rows of one run. */
  readonly batchSize: number;
  /** Points that contexts have at least, padding included. */
  readonly shortest?: number;
}

/** The context with the path's block behind it, known values in place of the forecast, cut to C. */
const extended = (
  row: Row,
  block: Float32Array,
  { context_length }: Chronos2Config['chronos_config'],
): Row => {
  const joined = new Float32Array(row.context.length + block.length);
  joined.set(row.context);
  joined.set(block, row.context.length);
  row.future.subarray(0, block.length).forEach((known, i) => {
    if (!Number.isNaN(known)) joined[row.context.length + i] = known;
  });
  return {
    context: joined.subarray(Math.max(0, joined.length - context_length)),
    future: row.future.subarray(block.length),
  };
};

/** Quantile j of row b as an array of steps. */
const fanOf = ({ data, steps }: Fans, b: number, levels: number): Float32Array[] =>
  Array.from({ length: levels }, (_, j) =>
    data.subarray((b * levels + j) * steps, (b * levels + j + 1) * steps),
  );

/** Fans of copies [group, path, member] -> one fan for each row [group, member]. */
const reduceFans = (
  wide: Fans,
  members: number,
  paths: readonly number[],
  trained: number[],
): Fans => {
  const { steps } = wide;
  const [u, q] = [paths.length, trained.length];
  const weights = pathMasses(paths, trained);
  const data = new Float32Array(wide.data.length / u);
  const values = new Float32Array(u * q);
  const reduced = new Float32Array(q);
  for (let b = 0; b < data.length / (q * steps); b++) {
    const [group, member] = [Math.floor(b / members), b % members];
    for (let step = 0; step < steps; step++) {
      for (let i = 0; i < u * q; i++) {
        const copy = (group * u + Math.floor(i / q)) * members + member;
        values[i] = wide.data[(copy * q + (i % q)) * steps + step]!;
      }
      weightedQuantiles(values, weights, trained, reduced);
      for (let j = 0; j < q; j++) data[(b * q + j) * steps + step] = reduced[j]!;
    }
  }
  return { data, steps };
};

/**
 * Forecasts groups of equal size. Past one pass, every row goes on in as many copies as there are paths:
 * copy u is extended by quantile u of the latest forecast and sees the copies u of its group; their
 * quantiles, weighted by the mass of both levels, are reduced to those of the row.
 * -> [groups * members][Q] arrays of `horizon` values
 */
export const rollOut = async (
  run: RunGraph,
  c: Chronos2Config,
  groups: readonly (readonly Row[])[],
  plan: Plan,
): Promise<Float32Array[][]> => {
  const { quantiles: trained, input_patch_size: patch } = c.chronos_config;
  const { horizon, paths, batchSize: maxRows, shortest = 1 } = plan;
  const members = groups[0]!.length;
  const patchesFor = (steps: number): number => Math.min(Math.ceil(steps / patch), plan.maxPatches);
  const fans = groups.flat().map(() => trained.map(() => new Float32Array(horizon)));
  let latest = await forwardGroups(run, c, groups, patchesFor(horizon), { maxRows, shortest });
  let copies = groups.flatMap((group) => paths.map(() => group));
  for (let done = 0; ; ) {
    const steps = Math.min(latest.steps, horizon - done);
    fans.forEach((fan, b) => {
      fanOf(latest, b, trained.length).forEach((row, j) => {
        fan[j]!.set(row.subarray(0, steps), done);
      });
    });
    done += steps;
    if (done >= horizon) return fans;
    const blocks = fans.map((_, b) =>
      interpolateLevels(fanOf(latest, b, trained.length), trained, paths),
    );
    copies = copies.map((group, i) => {
      const [at, u] = [Math.floor(i / paths.length) * members, i % paths.length];
      return group.map((row, r) => extended(row, blocks[at + r]![u]!, c.chronos_config));
    });
    const size = { maxRows, shortest: shortest + done };
    const wide = await forwardGroups(run, c, copies, patchesFor(horizon - done), size);
    latest = reduceFans(wide, members, paths, trained);
  }
};
