/** Which view is shown: the part of the address after `#/`. */
import { createStore } from './ui/store.ts';

export const VIEWS = ['forecast', 'models', 'training', 'batches', 'metrics', 'system'] as const;
export type View = (typeof VIEWS)[number];

const viewOf = (hash: string): View =>
  VIEWS.find((view) => hash.replace(/^#\/?/, '') === view) ?? 'forecast';

export const route = createStore<View>('forecast');

export const startRoute = (): void => {
  route.set(viewOf(location.hash));
  addEventListener('hashchange', () => route.set(viewOf(location.hash)));
};
