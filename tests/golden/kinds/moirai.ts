import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openModel, type SeriesForecast } from '@tollama/models';
import {
  type ComponentConfig,
  componentsOf,
  pointForecast,
} from '@tollama/models/families/moirai/head';
import type { Part } from '@tollama/models/families/moirai/mixture';
import { packTokens, tokenFeeds } from '@tollama/models/families/moirai/tokens';
import { forecastWindow, historyOf, imputeZero } from '@tollama/models/families/moirai/windows';
import { type Comparison, compare, type Tolerance } from '../compare.ts';
import type { GoldenKind } from '../kinds.ts';
import { inspectGraph } from './inspect-graph.ts';
import { byVariate, type Entry, seriesOf } from './moirai-series.ts';

interface Expected {
  readonly val_loss?: readonly (readonly number[])[];
  readonly chosen_patch_size?: readonly number[];
  readonly loc: readonly unknown[];
  readonly scale: readonly unknown[];
  readonly params: Readonly<Record<string, readonly unknown[]>>;
  readonly mean: readonly unknown[];
  readonly log_prob_probe: readonly number[];
  readonly log_prob: readonly unknown[];
  readonly exact_quantile_levels: readonly number[];
  readonly exact_quantiles: readonly unknown[];
  readonly intermediates?: Readonly<Record<string, unknown>>;
}

interface Case {
  readonly name: string;
  readonly input: {
    readonly patch_size: number | 'auto';
    readonly context_length: number;
    readonly prediction_length: number;
    readonly batch: readonly Entry[];
  };
  readonly expected: Expected;
  readonly rtol: number;
  readonly atol: number;
  readonly atol_params: number;
}

/** Settings are given where they are not the default. */
type FileComponent = Pick<ComponentConfig, '_target_'> & Partial<ComponentConfig>;

interface Config {
  readonly patch_sizes: readonly number[];
  /** A mixture, or one distribution alone. */
  readonly distr_output: FileComponent & { readonly components?: readonly FileComponent[] };
}

/** The parameters that the model gives of one variate: by name, [horizon] each. */
type Distribution = Readonly<Record<string, readonly (number | readonly number[])[]>> & {
  readonly loc: number;
  readonly scale: number;
};

const { fround } = Math;

/** The files give about eight digits. */
const PACKED_TOLERANCE = { rtol: 1e-6, atol: 0 };
const INNER_TOLERANCE = { rtol: 1e-4, atol: 1e-4 };
const PACKED: Readonly<Record<string, string>> = { observed_mask: 'observed' };

const distributionsOf = ({ explanation }: SeriesForecast): readonly Distribution[] =>
  explanation!.distribution as readonly Distribution[];

/** Back to the float32 numbers that the files print. */
const toFloat32 = (value: unknown): unknown =>
  Array.isArray(value) ? value.map(toFloat32) : fround(Number(value));

/** The value of one variate: files give [...] for one variate and [...][variates] for several. */
const ofVariate = (value: unknown, variate: number, variates: number): unknown =>
  toFloat32(variates === 1 ? value : (value as readonly unknown[])[variate]);

/** The parameters that the file gives of one variate of series `i`. */
const expectedDistribution = (
  { loc, scale, params }: Expected,
  i: number,
  variate: number,
  variates: number,
): Distribution => {
  const columns = Object.entries(params).map(([name, rows]) => [
    name,
    (rows[i] as readonly unknown[]).map((value) => ofVariate(value, variate, variates)),
  ]);
  return {
    ...Object.fromEntries(columns),
    loc: ofVariate(loc[i], variate, variates),
    scale: ofVariate(scale[i], variate, variates),
  } as Distribution;
};

const partConfigs = ({ distr_output: output }: Config): ComponentConfig[] =>
  (output.components ?? [output]).map((part) => ({ scale: 1e-3, alpha: 3, ...part }));

/** The mixture of one step. */
const partsAt = (distribution: Distribution, step: number, config: Config): readonly Part[] =>
  componentsOf(partConfigs(config)).map(({ kind, label, config: { scale, alpha } }, i) => {
    const own = Object.keys(kind.parameters).map((name) => [
      name,
      distribution[`${label}.${name}`]![step],
    ]);
    const parameters = { scale, alpha, ...Object.fromEntries(own) } as Record<string, number>;
    const weight = (distribution.weights![step] as readonly number[])[i]!;
    return { weight, isDiscrete: kind.isDiscrete, distribution: kind.at(parameters) };
  });

/** ln density at loc + scale * probe in float32, [horizon] */
const logDensities = (distribution: Distribution, probe: number, config: Config): number[] => {
  const { loc, scale, weights } = distribution;
  const value = fround(loc + fround(scale * fround(probe)));
  return weights!.map((_, step) =>
    pointForecast(loc, scale, partsAt(distribution, step, config), {}).logDensity(value),
  );
};

/** ln densities of one series at the probes of a case: [probe][horizon] */
const densitiesOf = (i: number, variates: number, expected: Expected, config: Config) => {
  // At the parameters of the file: where a component is 0.001 wide, the reference's own rounding of its
  // place (4e-7) moves the density by more than the tolerance.
  const given = Array.from({ length: variates }, (_, variate) =>
    expectedDistribution(expected, i, variate, variates),
  );
  return expected.log_prob_probe.map((probe) =>
    byVariate(given.map((distribution) => logDensities(distribution, probe, config))),
  );
};

/** The choice of the patch size, in the cases that leave it to the model. */
const compareChoice = (
  i: number,
  { explanation }: SeriesForecast,
  { val_loss = [], chosen_patch_size }: Expected,
  tolerance: Tolerance,
  { patch_sizes }: Config,
): Comparison[] => {
  const losses = explanation!.val_loss as Readonly<Record<string, number>> | undefined;
  const all = val_loss.map((want, k) => {
    const got = losses?.[String(patch_sizes[k])] ?? null;
    return compare(`series ${i} val_loss ${k}`, got, want[i], tolerance);
  });
  if (!chosen_patch_size) return all;
  const { patch_size } = explanation!;
  return [...all, compare(`series ${i} patch size`, patch_size, chosen_patch_size[i], tolerance)];
};

/** Everything that a case expects of one of its series. */
const compareSeries = (
  i: number,
  forecast: SeriesForecast,
  { expected, rtol, atol, atol_params }: Case,
  config: Config,
): Comparison[] => {
  const raw: Tolerance = { rtol, atol };
  const parameter: Tolerance = { rtol, atol: atol_params };
  const distributions = distributionsOf(forecast);
  const { targets } = forecast;
  const check = (label: string, got: unknown, want: unknown, tolerance: Tolerance) =>
    compare(`series ${i} ${label}`, got, want, tolerance);
  const parameters = Object.entries(expected.params).map(([name, want]) => {
    const rows = distributions.map((distribution) => distribution[name] as readonly number[]);
    return check(name, byVariate(rows), want[i], parameter);
  });
  const densities = densitiesOf(i, targets.length, expected, config);
  const quantiles = expected.exact_quantile_levels.map((_, level) =>
    byVariate(targets.map((target) => target.quantiles[level]!)),
  );
  const each = (name: 'loc' | 'scale') => distributions.map((distribution) => distribution[name]);
  return [
    check('loc', each('loc'), expected.loc[i], raw),
    check('scale', each('scale'), expected.scale[i], raw),
    ...parameters,
    check('log_prob', densities, expected.log_prob[i], parameter),
    check('mean', byVariate(targets.map(({ mean }) => mean)), expected.mean[i], raw),
    check('exact_quantiles', quantiles, expected.exact_quantiles[i], raw),
    ...compareChoice(i, forecast, expected, parameter, config),
  ];
};

/** Nested objects as paths: { a: { b: 1 } } -> a.b */
const flatten = (values: Readonly<Record<string, unknown>>, path = ''): [string, unknown][] =>
  Object.entries(values).flatMap(([name, value]): [string, unknown][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value as Record<string, unknown>, `${path}${name}.`)
      : [[`${path}${name}`, value]],
  );

/** The pass over all tokens, as the reference packs them. */
const inspect = async (
  folder: string,
  { input, expected }: Case,
  config: Config,
): Promise<Comparison[]> => {
  const { context_length: context, prediction_length: horizon } = input;
  const patch = Number(input.patch_size);
  const windows = input.batch.map((entry, i) =>
    forecastWindow(historyOf(seriesOf(entry, String(i)), imputeZero), { context, horizon }),
  );
  const tokens = packTokens(windows, { patch, width: Math.max(...config.patch_sizes) });
  const feeds = tokenFeeds(tokens);
  const everywhere = BigInt64Array.from({ length: tokens.count }, (_, i) => BigInt(i));
  const index = BigInt64Array.of(BigInt(config.patch_sizes.indexOf(patch)));
  const inner = await inspectGraph(folder, 'forward', {
    ...feeds,
    read: { dtype: 'int64', dims: [tokens.count], data: everywhere },
    patch: { dtype: 'int64', dims: [], data: index },
  });
  const { packed, note: _, ...points } = expected.intermediates!;
  const sizes = new Array<number>(tokens.batch * tokens.count).fill(patch);
  return [
    ...Object.entries(packed as Record<string, unknown>).map(([name, want]) => {
      const got = name === 'patch_size' ? sizes : (feeds[PACKED[name] ?? name]?.data ?? []);
      return compare(name, got, want, PACKED_TOLERANCE);
    }),
    ...flatten(points).map(([name, want]) =>
      compare(name, inner[name]?.data ?? [], want, INNER_TOLERANCE),
    ),
  ];
};

const readJson = async <T>(folder: string, file: string): Promise<T> =>
  JSON.parse(await readFile(join(folder, file), 'utf8')) as T;

/** Mixtures with their mean, quantiles and densities; inner points of the case that gives them. */
export const moirai: GoldenKind = async (folder) => {
  const model = await openModel(folder, { threads: 1 });
  const config = await readJson<Config>(folder, 'config.json');
  const cases = await readJson<readonly Case[]>(folder, 'cases.json');
  const run = async (one: Case): Promise<Comparison[]> => {
    const { patch_size, context_length, prediction_length, batch } = one.input;
    const { forecasts } = await model.forecast({
      series: batch.map((entry, i) => seriesOf(entry, String(i))),
      horizon: prediction_length,
      quantiles: one.expected.exact_quantile_levels,
      options: { patch_size, context_length, distribution: true },
    });
    const outer = forecasts.flatMap((forecast, i) => compareSeries(i, forecast, one, config));
    return one.expected.intermediates ? [...outer, ...(await inspect(folder, one, config))] : outer;
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: () => model[Symbol.asyncDispose](),
  };
};
