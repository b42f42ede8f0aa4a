/**
 * Moirai 2's recursive multi-quantile forecast (uni2ts, moirai2/forecast.py, `forward`): one pass gives all
 * quantiles of the next patches; beyond them every quantile goes on in a copy of its own, and the quantiles
 * of all copies are reduced to as many again.
 */
import type { RunGraph } from '../../family.ts';
import { linearQuantile } from '../../quantiles.ts';
import { gridOf, selectTokens, type Tokens, tokenFeeds } from './tokens.ts';

export interface RollOutOptions {
  readonly variates: number;
  readonly context: number;
  readonly horizon: number;
  readonly patch: number;
  readonly patchesPerPass: number;
  /** Levels of the head. */
  readonly levels: readonly number[];
}

/** Quantiles of one variate of one series: Q arrays of `horizon` values. */
type Fan = readonly Float32Array[];

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/** The tokens and the places of those whose heads are read. */
export const readFeeds = (tokens: Tokens, read: readonly number[]) => ({
  ...tokenFeeds(tokens),
  read: {
    dtype: 'int64' as const,
    dims: [read.length],
    data: BigInt64Array.from(read, (place) => BigInt(place)),
  },
});

/** What follows the tokens at `read`: [batch, reads, K, Q, P], flat. */
const onePass = async (
  run: RunGraph,
  tokens: Tokens,
  read: readonly number[],
): Promise<Float32Array> => {
  const { quantiles } = await run('forward', readFeeds(tokens, read));
  return quantiles!.data as Float32Array;
};

/** [rows * Q, K, Q, P] -> [rows, K, Q, P]: quantiles of the Q * Q values of every point. */
const reduceCopies = (wide: Float32Array, rows: number, o: RollOutOptions): Float32Array => {
  const { patchesPerPass: k, patch: p } = o;
  // The reference computes ranks from levels in float32.
  const levels = o.levels.map(Math.fround);
  const q = levels.length;
  const reduced = new Float32Array(rows * k * q * p);
  const values = new Float32Array(q * q);
  for (let row = 0; row < rows; row++) {
    for (let point = 0; point < k * p; point++) {
      const [block, offset] = [Math.floor(point / p), point % p];
      for (let copy = 0; copy < q; copy++) {
        const from = ((row * q + copy) * k + block) * q * p + offset;
        for (let level = 0; level < q; level++) values[copy * q + level] = wide[from + level * p]!;
      }
      values.sort();
      const to = (row * k + block) * q * p + offset;
      for (let level = 0; level < q; level++) {
        reduced[to + level * p] = linearQuantile(values, levels[level]!);
      }
    }
  }
  return reduced;
};

/** Copies what a pass gave [fans, K, Q, P] to the fans, from patch `done` on and up to the horizon. */
const keep = (
  fans: readonly Fan[],
  latest: Float32Array,
  done: number,
  o: RollOutOptions,
): void => {
  const { patchesPerPass: k, patch: p, levels, horizon } = o;
  fans.forEach((fan, i) => {
    for (let block = 0; block < k; block++) {
      const at = (done + block) * p;
      const length = Math.min(p, horizon - at);
      fan.forEach((row, level) => {
        const from = ((i * k + block) * levels.length + level) * p;
        if (length > 0) row.set(latest.subarray(from, from + length), at);
      });
    }
  });
};

/** Writes quantile q of the pass [rows, K, Q, P] into the tokens that follow in copy q of every row. */
const writeBack = (copies: Tokens, latest: Float32Array, at: number, o: RollOutOptions): void => {
  const { patchesPerPass: k, patch: p, levels } = o;
  for (let row = 0; row < copies.batch; row++) {
    const [series, level] = [Math.floor(row / levels.length), row % levels.length];
    for (let block = 0; block < k; block++) {
      const from = ((series * k + block) * levels.length + level) * p;
      const token = row * copies.count + at + block;
      copies.target.set(latest.subarray(from, from + p), token * p);
      copies.isPredicted[token] = 0;
    }
  }
};

/**
 * Forecasts every sequence; several variates only within one pass. Tokens of the target's future that are
 * not written yet are left out: no token before them sees them.
 *
 * @returns [series][variate][quantile][horizon]
 */
export const rollOut = async (
  run: RunGraph,
  tokens: Tokens,
  options: RollOutOptions,
): Promise<Float32Array[][][]> => {
  const { variates, context, horizon, patch, patchesPerPass, levels } = options;
  const { pastTokens, futureTokens } = gridOf(context, horizon, patch);
  const future = variates * pastTokens;
  const covariates = range(variates * (pastTokens + futureTokens), tokens.count);
  const past = range(0, future);
  const fans = range(0, tokens.batch * variates).map(() =>
    levels.map(() => new Float32Array(horizon)),
  );

  const read = range(1, variates + 1).map((variate) => variate * pastTokens - 1);
  let latest = await onePass(run, selectTokens(tokens, [...past, ...covariates]), read);
  keep(fans, latest, 0, options);
  const everything = range(0, tokens.count);
  const copies =
    futureTokens > patchesPerPass ? selectTokens(tokens, everything, levels.length) : tokens;
  for (let done = patchesPerPass; done < futureTokens; done += patchesPerPass) {
    writeBack(copies, latest, future + done - patchesPerPass, options);
    const seen = [...range(0, future + done), ...covariates];
    const wide = await onePass(run, selectTokens(copies, seen), [future + done - 1]);
    latest = reduceCopies(wide, tokens.batch, options);
    keep(fans, latest, done, options);
  }
  return range(0, tokens.batch).map((row) => fans.slice(row * variates, (row + 1) * variates));
};
