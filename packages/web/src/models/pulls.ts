/** Pulls under way; they go on while other views are looked at. */
import type { PullBody } from '@tollama/client';
import { follow } from '../daemon/connection.ts';
import { refreshState } from '../daemon/state.ts';
import { announce } from '../ui/announcer.tsx';
import { type Problem, problemOf } from '../ui/problem.ts';
import { createStore } from '../ui/store.ts';
import { advance, type PullProgress, START } from './pull-progress.ts';

export interface Pull {
  readonly model: string;
  readonly progress: PullProgress;
  readonly problem: Problem | undefined;
  readonly cancel: () => void;
}

export const pulls = createStore<ReadonlyMap<string, Pull>>(new Map());

const put = (model: string, change: (before: Pull) => Pull): void =>
  pulls.update((before) => {
    const pull = before.get(model);
    return pull ? new Map(before).set(model, change(pull)) : before;
  });

/** Takes a finished or failed pull off the list. */
export const dismissPull = (model: string): void =>
  pulls.update((before) => {
    const after = new Map(before);
    after.delete(model);
    return after;
  });

const run = async (body: PullBody, signal: AbortSignal): Promise<void> => {
  for await (const event of follow((daemon) => daemon.pull(body, { signal }))) {
    put(body.model, (pull) => ({
      ...pull,
      progress: advance(pull.progress, event, performance.now()),
    }));
  }
};

/** Pulls a model; true when it is installed. What goes wrong stands in `pulls`. */
export const startPull = async (body: PullBody): Promise<boolean> => {
  const { model } = body;
  const stop = new AbortController();
  const pull: Pull = { model, progress: START, problem: undefined, cancel: () => stop.abort() };
  pulls.update((before) => new Map(before).set(model, pull));
  announce(`Pulling ${model}`);
  try {
    await run(body, stop.signal);
    await refreshState();
    dismissPull(model);
    announce(`${model} is installed`);
    return true;
  } catch (error) {
    if (stop.signal.aborted) {
      dismissPull(model);
      announce(`The pull of ${model} was stopped; a second one goes on where it was`);
    } else put(model, (before) => ({ ...before, problem: problemOf(error) }));
    return false;
  }
};
