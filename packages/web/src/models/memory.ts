/** Loading and unloading: the daemon does both by forecasts, whose keep_alive says how long a model stays. */
import type { ForecastBody } from '@tollama/client';
import { ask } from '../daemon/connection.ts';
import { refreshState } from '../daemon/state.ts';
import { announce } from '../ui/announcer.tsx';
import { type Problem, problemOf } from '../ui/problem.ts';
import { createStore } from '../ui/store.ts';

export type Work = 'loading' | 'unloading' | 'deleting';

export interface ModelWork {
  readonly work: Work | undefined;
  readonly problem: Problem | undefined;
}

export const modelWork = createStore<ReadonlyMap<string, ModelWork>>(new Map());

export const setWork = (model: string, work: ModelWork | undefined): void =>
  modelWork.update((before) => {
    const after = new Map(before);
    if (work) after.set(model, work);
    else after.delete(model);
    return after;
  });

/** Enough history for any model; what is forecast does not matter. */
const POINTS = 512;
const HOUR_MS = 3_600_000;

const smallestForecast = (model: string): ForecastBody => ({
  model,
  horizon: 1,
  quantiles: [],
  series: [
    {
      id: 'load',
      freq: 'h',
      timestamps: Array.from({ length: POINTS }, (_, i) =>
        new Date(Date.UTC(2024, 0, 1) + i * HOUR_MS).toISOString().slice(0, 19),
      ),
      target: Array.from({ length: POINTS }, (_, i) => 10 + Math.sin((i * Math.PI) / 12)),
    },
  ],
});

const perform = async (model: string, work: Work, task: () => Promise<unknown>) => {
  setWork(model, { work, problem: undefined });
  try {
    await task();
    await refreshState();
    setWork(model, undefined);
    return true;
  } catch (error) {
    setWork(model, { work: undefined, problem: problemOf(error) });
    return false;
  }
};

export const loadModel = async (model: string): Promise<void> => {
  const body = smallestForecast(model);
  if (await perform(model, 'loading', () => ask((daemon) => daemon.forecast(body)))) {
    announce(`${model} is loaded`);
  }
};

export const unloadModel = async (model: string): Promise<void> => {
  const body = { ...smallestForecast(model), keep_alive: 0 };
  if (await perform(model, 'unloading', () => ask((daemon) => daemon.forecast(body)))) {
    announce(`${model} is unloaded`);
  }
};

/** True when the model is gone. */
export const deleteModel = async (model: string): Promise<boolean> => {
  const isGone = await perform(model, 'deleting', () => ask((daemon) => daemon.delete(model)));
  if (isGone) announce(`${model} is deleted`);
  return isGone;
};
