/** Runs the chosen models, all at once; each answer counts by itself. */
import type { ForecastBody } from '@tollama/client';
import { ask } from '../daemon/connection.ts';
import { refreshState } from '../daemon/state.ts';
import { announce } from '../ui/announcer.tsx';
import { problemOf } from '../ui/problem.ts';
import { plural } from '../ui/quantity.ts';
import { createStore } from '../ui/store.ts';
import { parseLevels } from './quantile-levels.ts';
import { forecastBody, historyOf, type ModelResult, type Run } from './run.ts';
import { setup } from './setup.ts';

export const run = createStore<Run | undefined>(undefined);

const settle = (of: Run, result: ModelResult): void =>
  run.update((current) =>
    current?.cancel === of.cancel
      ? {
          ...current,
          results: current.results.map((one) => (one.model === result.model ? result : one)),
        }
      : current,
  );

const runModel = async (of: Run, body: ForecastBody, signal: AbortSignal): Promise<void> => {
  const started = performance.now();
  const { model } = body;
  const result = { model, response: undefined, problem: undefined };
  try {
    const response = await ask((daemon) => daemon.forecast(body, { signal }));
    settle(of, { ...result, response, elapsedMs: performance.now() - started });
  } catch (error) {
    settle(of, { ...result, problem: problemOf(error), elapsedMs: undefined });
  }
};

/** Starts the run that the setup describes, and ends the one before it. */
export const startRun = async (): Promise<void> => {
  const { series, models, horizon, levels: text, frequency, isHeldOut } = setup.get();
  const { levels } = parseLevels(text);
  const stop = new AbortController();
  const waiting = { response: undefined, problem: undefined, elapsedMs: undefined };
  const next: Run = {
    source: series,
    series: series.map((one) => historyOf(one, isHeldOut ? horizon : 0)),
    horizon,
    levels,
    isHeldOut,
    results: models.map((model) => ({ model, ...waiting })),
    cancel: () => stop.abort(),
  };
  run.get()?.cancel();
  run.set(next);
  const asked = { horizon, levels, frequency };
  await Promise.all(
    models.map((model) => runModel(next, forecastBody(model, next.series, asked), stop.signal)),
  );
  if (run.get()?.cancel !== next.cancel) return;
  const failed = run.get()?.results.filter(({ problem }) => problem).length ?? 0;
  announce(
    failed > 0
      ? `Forecast finished, ${plural(failed, 'model')} failed`
      : `Forecast finished: ${plural(models.length, 'model')}, ${plural(horizon, 'step')}`,
  );
  void refreshState();
};
