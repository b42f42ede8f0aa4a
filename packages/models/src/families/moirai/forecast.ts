/** Moirai 1 around its graph: windows, the choice of the patch size, and what is read off the mixtures. */
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import type {
  ModelSeries,
  Outcome,
  RunGraph,
  SeriesForecast,
  TargetForecast,
  Task,
} from '../../family.ts';
import { ContextLength } from '../../option-limits.ts';
import { mulberry32 } from '../../random/mulberry32.ts';
import { textSeed } from '../../random/text-seed.ts';
import { readOptions } from '../../read-options.ts';
import { type ComponentConfig, type PointForecast, readHead } from './head.ts';
import { gridOf, packTokens, tokenFeeds } from './tokens.ts';
import {
  forecastWindow,
  type History,
  historyOf,
  imputeZero,
  placesByLayout,
  type SeriesWindow,
  validationWindow,
} from './windows.ts';

export interface MixtureModel {
  readonly patchSizes: readonly number[];
  readonly components: readonly ComponentConfig[];
  /** Points of history that are read unless the request says otherwise. */
  readonly longestContext: number;
}

const Options = z.object({
  /** Points in a patch; by default the size that would have forecast the last points best. */
  patch_size: z.union([z.literal('auto'), z.int().positive()]).default('auto'),
  /** Points of history that are read; as many as there are, up to a limit, when absent. */
  context_length: ContextLength.optional(),
  /** Sample paths that are drawn besides mean and quantiles. */
  num_samples: z.int().min(0).max(10_000).default(0),
  seed: z.int().min(0).default(0),
  /** Gives the parameters of the distributions as part of the explanation. */
  distribution: z.boolean().default(false),
});
type Options = z.infer<typeof Options>;

/** The distribution of a point of the horizon. */
type At = (row: number, variate: number, step: number) => PointForecast;

/** The mixtures of every window's future; all windows of one layout. */
const runWindows = async (
  run: RunGraph,
  windows: readonly SeriesWindow[],
  patch: number,
  model: MixtureModel,
): Promise<At> => {
  const [{ context, horizon, targets }] = windows as [SeriesWindow];
  const { pastTokens, futureTokens } = gridOf(context, horizon, patch);
  const [variates, width] = [targets.length, Math.max(...model.patchSizes)];
  const count = variates * futureTokens;
  const read = BigInt64Array.from({ length: count }, (_, i) => BigInt(variates * pastTokens + i));
  const index = BigInt64Array.of(BigInt(model.patchSizes.indexOf(patch)));
  const outputs = await run('forward', {
    ...tokenFeeds(packTokens(windows, { patch, width })),
    read: { dtype: 'int64', dims: [count], data: read },
    patch: { dtype: 'int64', dims: [], data: index },
  });
  return readHead(outputs, model.components, { variates, tokens: futureTokens, patch });
};

/** Mean over the observed points of the future of -ln density, summed over the variates. */
const lossOf = (window: SeriesWindow, at: At, row: number): number => {
  const { context, horizon, targets } = window;
  let loss = 0;
  targets.forEach(({ values, observed }, variate) => {
    let [sum, count] = [0, 0];
    for (let step = 0; step < horizon; step++) {
      if (!observed[context + step]) continue;
      sum -= at(row, variate, step).logDensity(values[context + step]!);
      count++;
    }
    if (count > 0) loss += sum / count;
  });
  return loss;
};

/** How the patch size of a series was chosen: the loss of every size on the last points of the history. */
interface Choice {
  readonly patch: number;
  readonly losses?: Readonly<Record<string, number>>;
}

const choosePatches = async (
  { run, model, sizes }: Pick<Request, 'run' | 'model' | 'sizes'>,
  histories: readonly History[],
): Promise<Choice[]> => {
  const windows = histories.map((history) => validationWindow(history, sizes));
  const losses: number[][] = [];
  for (const patch of model.patchSizes) {
    const at = await runWindows(run, windows, patch, model);
    losses.push(windows.map((window, row) => lossOf(window, at, row)));
  }
  return windows.map((_, row) => {
    const own = losses.map((sizes) => sizes[row]!);
    const best = own.reduce((least, loss, i) => (loss < own[least]! ? i : least), 0);
    return {
      patch: model.patchSizes[best]!,
      losses: Object.fromEntries(model.patchSizes.map((patch, i) => [String(patch), own[i]!])),
    };
  });
};

/** Points are independent of each other, as in the reference. */
const drawSamples = (points: readonly PointForecast[], count: number, seed: number) => {
  const next = mulberry32(seed);
  // 0 has no quantile.
  const level = (): number => next() / 2 ** 32 || Number.EPSILON;
  return Array.from({ length: count }, () =>
    Float64Array.from(points, (point) => point.quantile(level())),
  );
};

const targetForecast = (
  points: readonly PointForecast[],
  levels: readonly number[],
  samples: { readonly count: number; readonly seed: number },
): TargetForecast => ({
  mean: Float64Array.from(points, (point) => point.mean()),
  quantiles: levels.map((level) => Float64Array.from(points, (point) => point.quantile(level))),
  ...(samples.count > 0 && { samples: drawSamples(points, samples.count, samples.seed) }),
});

/** Parameters by name, each [horizon]; loc and scale belong to the whole variate. */
const distributionOf = (points: readonly PointForecast[]): Readonly<Record<string, unknown>> => {
  const [{ loc, scale, parameters }] = points as [PointForecast];
  const columns = Object.keys(parameters).map((name) => [
    name,
    points.map((point) => point.parameters[name]),
  ]);
  return { loc, scale, ...Object.fromEntries(columns) };
};

const explanationOf = (
  variates: readonly (readonly PointForecast[])[],
  { patch, losses }: Choice,
  { distribution }: Options,
): Readonly<Record<string, unknown>> => ({
  patch_size: patch,
  ...(losses && { val_loss: losses }),
  ...(distribution && { distribution: variates.map(distributionOf) }),
});

const checkPatchSize = ({ patch_size }: Options, { patchSizes }: MixtureModel): void => {
  if (patch_size === 'auto' || patchSizes.includes(patch_size)) return;
  throw new TollamaError(
    'INVALID_REQUEST',
    `options.patch_size = ${patch_size} is none of the model's sizes ${patchSizes.join(', ')}`,
    { hint: "use one of them, or 'auto'" },
  );
};

/** Whole patches of every size, so that no zeros are needed to align them. */
const contextOf = (histories: readonly History[], o: Options, model: MixtureModel): number => {
  if (o.context_length !== undefined) return o.context_length;
  const longest = histories.reduce((most, { length }) => Math.max(most, length), 1);
  const widest = Math.max(...model.patchSizes);
  return Math.min(Math.ceil(longest / widest) * widest, model.longestContext);
};

/** What the forecasts of a task have in common. */
interface Request {
  readonly run: RunGraph;
  readonly task: Task;
  readonly model: MixtureModel;
  readonly options: Options;
  readonly sizes: { readonly context: number; readonly horizon: number };
}

/** Forecasts series of one layout and one patch size. */
const forecastTogether = async (
  { run, task, model, options, sizes }: Request,
  histories: readonly { readonly history: History; readonly series: ModelSeries }[],
  choices: readonly Choice[],
): Promise<SeriesForecast[]> => {
  const windows = histories.map(({ history }) => forecastWindow(history, sizes));
  const at = await runWindows(run, windows, choices[0]!.patch, model);
  const { num_samples: count, seed } = options;
  return histories.map(({ series: { id, targets } }, row) => {
    const variates = targets.map((_, variate) =>
      Array.from({ length: task.horizon }, (_, step) => at(row, variate, step)),
    );
    return {
      targets: variates.map((points, variate) =>
        targetForecast(points, task.quantiles, { count, seed: textSeed(`${id}/${variate}`, seed) }),
      ),
      explanation: explanationOf(variates, choices[row]!, options),
    };
  });
};

/** Forecasts a task; series of unequal layouts or patch sizes run apart. */
export const forecastMixture = async (
  run: RunGraph,
  task: Task,
  model: MixtureModel,
): Promise<Outcome> => {
  const options = readOptions(Options, task, 'moirai');
  checkPatchSize(options, model);
  const { patch_size } = options;
  const histories = task.series.map((series) => historyOf(series, imputeZero));
  const sizes = { context: contextOf(histories, options, model), horizon: task.horizon };
  const request = { run, task, model, options, sizes };
  const forecasts: SeriesForecast[] = [];
  for (const places of placesByLayout(histories)) {
    const all = places.map((i) => ({ i, history: histories[i]!, series: task.series[i]! }));
    const choices =
      patch_size === 'auto'
        ? await choosePatches(
            request,
            all.map(({ history }) => history),
          )
        : all.map((): Choice => ({ patch: patch_size }));
    for (const patch of new Set(choices.map((choice) => choice.patch))) {
      const own = all.filter((_, row) => choices[row]!.patch === patch);
      const chosen = choices.filter((choice) => choice.patch === patch);
      const results = await forecastTogether(request, own, chosen);
      own.forEach(({ i }, row) => {
        forecasts[i] = results[row]!;
      });
    }
  }
  return { forecasts, warnings: [] };
};
