/** What the daemon is doing, as all views see it: asked every few seconds. */
import type { DashboardState, ListedModel } from '@tollama/client';
import { type Problem, problemOf } from '../ui/problem.ts';
import { createStore } from '../ui/store.ts';
import { ask } from './connection.ts';
import { type Poll, startPoll } from './poll.ts';

export interface DaemonState {
  readonly state: DashboardState | undefined;
  /** All models that can be named: on offer, built in, and pulled by their address. */
  readonly models: readonly ListedModel[];
  readonly problem: Problem | undefined;
}

const INTERVAL_MS = 4000;

export const daemonState = createStore<DaemonState>({
  state: undefined,
  models: [],
  problem: undefined,
});

const known = (available: readonly ListedModel[], installed: readonly ListedModel[]) => {
  const names = new Set(available.map(({ name }) => name));
  return [...available, ...installed.filter(({ name }) => !names.has(name))];
};

const read = async (): Promise<void> => {
  try {
    const [state, { available, installed }] = await ask((daemon) =>
      Promise.all([daemon.dashboardState(), daemon.models()]),
    );
    daemonState.set({ state, models: known(available, installed), problem: undefined });
  } catch (error) {
    daemonState.update((before) => ({ ...before, problem: problemOf(error) }));
  }
};

let poll: Poll | undefined;

export const startState = (): void => {
  poll ??= startPoll(read, INTERVAL_MS);
};

/** Asks anew after something was changed. */
export const refreshState = async (): Promise<void> => poll?.renew();

/** A model without weights of its own, which is always there. */
export const isBuiltIn = ({ metadata }: ListedModel): boolean => metadata.embedded === true;

export const isReady = ({ metadata }: ListedModel): boolean => metadata.forecast_ready !== false;
