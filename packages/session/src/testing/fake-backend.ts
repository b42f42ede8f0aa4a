/** A backend whose models answer at once, and fail when they are told to. */
import type { ForecastTask, LoadedModel, ModelBackend } from '../backend/backend.ts';

export interface FakeBackend extends ModelBackend {
  /** Models in the order in which they were loaded. */
  readonly loads: string[];
  readonly unloads: string[];
  readonly calls: { readonly model: string; readonly task: ForecastTask }[];
}

export interface FakeOptions {
  /** What a model throws, by its name. */
  readonly loadErrors?: Readonly<Record<string, Error>>;
  readonly predictErrors?: Readonly<Record<string, Error>>;
  readonly unloadErrors?: Readonly<Record<string, Error>>;
  /** Ids that a model gives nothing, or NaN. */
  readonly silentFor?: Readonly<Record<string, readonly string[]>>;
  readonly brokenFor?: Readonly<Record<string, readonly string[]>>;
  /** What a model adds to the last value. */
  readonly offsets?: Readonly<Record<string, number>>;
  /** Bytes that a model takes. */
  readonly sizes?: Readonly<Record<string, number>>;
}

const lastKnown = (target: Float64Array): number =>
  target.findLast((value) => !Number.isNaN(value)) ?? 0;

export const fakeBackend = (options: FakeOptions = {}): FakeBackend => {
  const { loadErrors = {}, predictErrors = {}, unloadErrors = {}, offsets = {} } = options;
  const loads: string[] = [];
  const unloads: string[] = [];
  const calls: FakeBackend['calls'] = [];
  const forecast = (model: string, task: ForecastTask) => {
    calls.push({ model, task });
    const failure = predictErrors[model];
    if (failure) throw failure;
    const forecasts = task.series
      .filter(({ id }) => !options.silentFor?.[model]?.includes(id))
      .map(({ id, target }) => {
        const isBroken = options.brokenFor?.[model]?.includes(id);
        const level = isBroken ? Number.NaN : lastKnown(target) + (offsets[model] ?? 0);
        const mean = new Float64Array(task.horizon).fill(level);
        return { id, mean, quantiles: task.quantiles.map((q) => mean.map((v) => v + q - 0.5)) };
      });
    return { forecasts, warnings: [] };
  };
  return {
    kind: 'fake',
    loads,
    unloads,
    calls,
    async load({ model, device }): Promise<LoadedModel> {
      loads.push(model);
      // Lets a concurrent caller in between.
      await Promise.resolve();
      const failure = loadErrors[model];
      if (failure) throw failure;
      return {
        model,
        device: device ?? 'cpu',
        contextLength: null,
        memoryBytes: options.sizes?.[model],
        forecast: async (task) => forecast(model, task),
        unload: async () => {
          unloads.push(model);
          const error = unloadErrors[model];
          if (error) throw error;
        },
      };
    },
  };
};
