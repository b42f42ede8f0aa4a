/** Models in this process: the ones without weights, and checkpoints in folders. */
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { candidateSeasons } from '@tollama/core/frequency';
import { isEmbeddedName, isNanoName, isStatisticalName } from '@tollama/core/statistical';
import type { ModelSeries, Outcome, Task } from '@tollama/models/family';
import type { ForecastResult, ForecastTask, LoadedModel, ModelBackend } from './backend.ts';

export interface InProcessOptions {
  /** Folders of published checkpoints, by the model's name. */
  readonly folders?: Readonly<Record<string, string>>;
  readonly threads?: number;
}

/** Series of one call; between calls, timers and signals get their turn. */
const SERIES_PER_CALL = 64;

/** Of a frequency that nobody can read, none. */
const seasonCandidates = (freq?: string): readonly number[] => {
  try {
    return candidateSeasons(freq);
  } catch {
    return [];
  }
};

const toModelSeries = (one: ForecastTask['series'][number]): ModelSeries => ({
  id: one.id,
  freq: one.freq,
  targets: [one.target],
  ...(one.pastCovariates && { pastCovariates: one.pastCovariates }),
  ...(one.futureCovariates && { futureCovariates: one.futureCovariates }),
  ...(one.staticCovariates && { staticCovariates: one.staticCovariates }),
});

const turn = (): Promise<void> =>
  new Promise<void>((resolve) => {
    setImmediate(resolve);
  });

const inChunks = async (
  task: ForecastTask,
  forecast: (part: Task) => Promise<Outcome> | Outcome,
): Promise<ForecastResult> => {
  const { horizon, quantiles, options = {}, signal } = task;
  const forecasts: ForecastResult['forecasts'][number][] = [];
  const warnings = new Set<string>();
  for (let from = 0; from < task.series.length; from += SERIES_PER_CALL) {
    signal?.throwIfAborted();
    const series = task.series.slice(from, from + SERIES_PER_CALL);
    const outcome = await forecast({
      series: series.map(toModelSeries),
      horizon,
      quantiles,
      options,
    });
    outcome.forecasts.forEach(({ targets, explanation }, i) => {
      const [target] = targets;
      forecasts.push({
        id: series[i]!.id,
        mean: Float64Array.from(target!.mean),
        quantiles: target!.quantiles.map((row) => Float64Array.from(row)),
        explanation,
      });
    });
    for (const warning of outcome.warnings) warnings.add(warning);
    await turn();
  }
  return { forecasts, warnings: [...warnings] };
};

const WEIGHTS = /\.(?:safetensors|ckpt|pt|pth|bin)$/;

/** Size of a checkpoint's weights: what a loaded model takes at least. */
const weightBytes = async (folder: string): Promise<number> => {
  const { readdir, stat } = await import('node:fs/promises');
  const names = (await readdir(folder)).filter((name) => WEIGHTS.test(name));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** The folder's files by name, size and time; null for one that cannot be read, which loading will tell. */
const identityOfFolder = async (folder: string): Promise<string | null> => {
  const { readdir, stat } = await import('node:fs/promises');
  try {
    const names = (await readdir(folder)).sort();
    const files = names.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return [name, size, mtimeMs];
    });
    return JSON.stringify(await Promise.all(files));
  } catch {
    return null;
  }
};

/**
 * A backend that needs no daemon. Loading a checkpoint brings onnxruntime into the process.
 *
 * @throws TollamaError MODEL_NOT_FOUND when a model is neither built in nor has a folder
 */
export const inProcessBackend = ({
  folders = {},
  threads = 1,
}: InProcessOptions = {}): ModelBackend => ({
  kind: 'in-process',
  identityOf: async (model) => {
    const folder = isEmbeddedName(model) ? undefined : folders[model];
    return folder === undefined ? null : identityOfFolder(folder);
  },
  async load({ model, device }): Promise<LoadedModel> {
    if (isStatisticalName(model)) {
      const { forecastStatistical } = await import('@tollama/models/statistical');
      return {
        model,
        device: 'cpu',
        contextLength: null,
        forecast: (task) =>
          inChunks(task, (part) => forecastStatistical(model, part, seasonCandidates)),
        unload: async () => {},
      };
    }
    if (isNanoName(model)) {
      const { openBoxed } = await import('@tollama/models/in-the-box');
      const boxed = openBoxed(model, { threads, candidates: seasonCandidates });
      return {
        model,
        device: 'cpu',
        contextLength: null,
        forecast: (task) => inChunks(task, (part) => boxed.forecast(part)),
        unload: async () => {
          await boxed[Symbol.asyncDispose]();
        },
      };
    }
    const folder = folders[model];
    if (folder === undefined) {
      throw new TollamaError('MODEL_NOT_FOUND', `model '${model}' has no folder`, {
        hint: 'name its folder in `folders`, or use a daemon that has it installed',
      });
    }
    const { openModel } = await import('@tollama/models/open-model');
    const opened = await openModel(folder, {
      threads,
      ...(device !== null && { device: device as 'cpu' }),
    });
    return {
      model,
      device: opened.device,
      contextLength: opened.capabilities.contextLength,
      memoryBytes: await weightBytes(folder),
      forecast: (task) => inChunks(task, (part) => opened.forecast(part)),
      unload: async () => {
        await opened[Symbol.asyncDispose]();
      },
    };
  },
});
