import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModelSeries, openModel } from '@tollama/models';
import { Config } from '@tollama/models/families/toto/config';
import { rowsOf } from '@tollama/models/families/toto/forecast';
import { mixtureLogDensity, type PatchMixture } from '@tollama/models/families/toto/mixture';
import { rollOut } from '@tollama/models/families/toto/roll-out';
import { patchScale, scaleBounds } from '@tollama/models/families/toto/scaler';
import { NO_MOMENTS, observe } from '@tollama/models/nn/causal-moments';
import { type Comparison, compare } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';

type Rows = readonly (readonly (number | null)[])[];

interface Case {
  readonly name: string;
  readonly input: {
    readonly kind: 'mean' | 'path' | 'log_prob';
    /** [batch][variate][time] */
    readonly series: readonly Rows[];
    readonly id_mask?: readonly (readonly number[])[];
    readonly future_exogenous?: readonly Rows[];
    readonly horizon?: number;
    readonly use_kv_cache: boolean;
    /** What was drawn so far, [batch][variate][patches * P]. */
    readonly path?: readonly (readonly (readonly number[])[])[];
    readonly at?: readonly number[];
  };
  readonly expected: {
    readonly mean?: readonly (readonly number[][])[];
    readonly debug?: Readonly<Record<string, unknown>>;
    readonly steps?: readonly Readonly<Record<string, unknown>>[];
    readonly log_prob?: unknown;
  };
  readonly rtol: number;
  readonly atol: number;
}

const padded = (row: readonly (number | null)[], length: number): Float64Array => {
  const numbers = new Float64Array(length).fill(Number.NaN);
  numbers.set(
    row.map((value) => value ?? Number.NaN),
    length - row.length,
  );
  return numbers;
};

/** The reference gets a batch of one length, padded as missing; its last variates are known ahead. */
const seriesOf = ({ series, future_exogenous: future }: Case['input']): ModelSeries[] => {
  const longest = Math.max(...series.flatMap((rows) => rows.map((row) => row.length)));
  return series.map((rows, b) => {
    const all = rows.map((row) => padded(row, longest));
    const ahead = future?.[b] ?? [];
    const targets = all.slice(0, all.length - ahead.length);
    const named = (list: readonly (readonly (number | null)[] | Float64Array)[]) =>
      Object.fromEntries(
        list.map((row, i) => [`known${i}`, Float64Array.from(row, (value) => value ?? Number.NaN)]),
      );
    return {
      id: String(b),
      targets,
      pastCovariates: named(all.slice(targets.length)),
      futureCovariates: named(ahead),
    };
  });
};

/** Forecasts by fed-back means; the covariates' own are what is known of them. */
const meanCase = async (folder: string, one: Case): Promise<Comparison[]> => {
  const { input, expected, rtol, atol } = one;
  await using model = await openModel(folder, { threads: 1, inspect: true });
  const { forecasts } = await model.forecast({
    series: seriesOf(input),
    horizon: input.horizon!,
    quantiles: [],
    options: {
      use_kv_cache: input.use_kv_cache,
      ...(input.id_mask && { id_mask: input.id_mask }),
    },
  });
  const comparisons = forecasts.flatMap(({ targets }, b) =>
    targets.map(({ mean }, v) =>
      compare(`series ${b} variate ${v}`, mean, expected.mean![b]![v], { rtol, atol }),
    ),
  );
  for (const [name, want] of Object.entries(expected.debug ?? {})) {
    if (SCALER.test(name)) continue;
    const probe = model.inspected.get(PROBES[name] ?? name);
    comparisons.push(compare(name, probe?.data ?? [], want, { rtol, atol }));
  }
  return comparisons;
};

/** Names of the files -> names of the probes and outputs. */
const PROBES: Readonly<Record<string, string>> = {
  dist_df: 'df',
  dist_loc: 'loc',
  dist_scale: 'scale',
  dist_probs: 'probs',
};

const PLAIN = { imputation: 'none', context_length: 4096 } as const;

/** Facts of the scaler, which is no part of the graph. */
const SCALER = /^(patch|dist_affine)_(loc|scale)$/;

/** The mixtures of each step of a roll-out along the case's path: [step][row] */
const mixturesOf = async (folder: string, { input }: Case): Promise<PatchMixture[][]> => {
  await using model = await openModel(folder, { threads: 1 });
  const c = model.config as Config;
  const { patch_size: size } = c;
  const { path = [], use_kv_cache } = input;
  const patches = (path[0]?.[0]?.length ?? 0) / size + 1;
  const options = {
    ...PLAIN,
    ...(input.id_mask && { id_mask: input.id_mask.map((ids) => [...ids]) }),
  };
  const rows = seriesOf(input).map((one, i) => rowsOf(one, i, patches * size, c, options));
  const drawn = path.flat();
  const found: PatchMixture[][] = [];
  await rollOut(model.run, c, {
    rows: rows.flat(),
    variates: rows[0]!.length,
    chains: 1,
    patches,
    useCache: use_kv_cache,
    next: (mixture, row, _, step) => {
      found[step] ??= [];
      found[step][row] = mixture;
      const values = drawn[row]?.slice(step * size, (step + 1) * size) ?? [];
      return Float32Array.from({ length: size }, (_, i) => values[i] ?? 0);
    },
  });
  return found;
};

const pathCase = async (folder: string, one: Case): Promise<Comparison[]> => {
  const { expected, rtol, atol } = one;
  const steps = await mixturesOf(folder, one);
  return expected.steps!.flatMap((want, step) =>
    Object.entries(want).map(([name, values]) => {
      const got = steps[step]!.map((mixture) => {
        if (name === 'affine_loc') return mixture.affine[0]!.loc;
        if (name === 'affine_scale') return mixture.affine[0]!.scale;
        return mixture[name as 'df' | 'loc' | 'scale' | 'probs'];
      });
      return compare(`step ${step} ${name}`, got, values, { rtol, atol });
    }),
  );
};

const logProbCase = async (folder: string, one: Case): Promise<Comparison[]> => {
  const { input, expected, rtol, atol } = one;
  const [first] = await mixturesOf(folder, one);
  const got = first!.map((mixture) => {
    const byValue = input.at!.map((value) => mixtureLogDensity(mixture, value));
    return Array.from(byValue[0]!, (_, step) => byValue.map((densities) => densities[step]!));
  });
  return [compare('log_prob', got, expected.log_prob, { rtol, atol })];
};

/** What the scaler finds for the patches of each row, against the facts of a case that gives them. */
const scalerFacts = async (folder: string, { input, expected, rtol, atol }: Case) => {
  const wanted = Object.entries(expected.debug ?? {}).filter(([name]) => SCALER.test(name));
  const c = Config.parse(JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')));
  const rows = seriesOf(input).flatMap((one, i) => rowsOf(one, i, 1, c, PLAIN));
  const scales = rows.map(({ context, observed }) => {
    const bounds = scaleBounds(context, observed, c);
    let moments = NO_MOMENTS;
    return Array.from({ length: context.length / c.patch_size }, (_, patch) => {
      const [from, to] = [patch * c.patch_size, (patch + 1) * c.patch_size];
      moments = observe(moments, context.subarray(from, to), observed.subarray(from, to));
      return patchScale(moments, bounds);
    });
  });
  return wanted.map(([name, want]) => {
    const part = name.endsWith('loc') ? 'loc' : 'scale';
    const got = scales.map((row) => {
      const all = row.map((scale) => scale[part]);
      return name.startsWith('patch') ? all : all.at(-1);
    });
    return compare(name, got, want, { rtol, atol });
  });
};

const RUNS = { mean: meanCase, path: pathCase, log_prob: logProbCase } as const;

/** Mean roll-outs, mixtures along given paths, and densities; inner points of the case that gives them. */
export const toto: GoldenKind = async (folder) => {
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  return {
    cases: cases.map((one) => ({
      name: one.name,
      run: async () => [
        ...(await RUNS[one.input.kind](folder, one)),
        ...(await scalerFacts(folder, one)),
      ],
    })),
    [Symbol.asyncDispose]: async () => {},
  };
};
