/** The daemon that served this page, and the key that it may ask for. */
import { TollamaClient } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import { createStore } from '../ui/store.ts';

const KEY = 'tollama.apiKey';

/** The key stays in the tab: the storage of a session, not of the machine. */
const storedKey = (): string | undefined => {
  try {
    return sessionStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined;
  }
};

const clientWith = (apiKey: string | undefined): TollamaClient =>
  new TollamaClient({ baseUrl: location.origin, apiKey });

let client = clientWith(storedKey());

export interface Access {
  /** The daemon asked for a key, or refused the one that it got. */
  readonly isLocked: boolean;
  /** What the daemon said about it. */
  readonly reason: string | undefined;
  readonly hasKey: boolean;
}

export const access = createStore<Access>({
  isLocked: false,
  reason: undefined,
  hasKey: storedKey() !== undefined,
});

export const setApiKey = (apiKey: string | undefined): void => {
  try {
    if (apiKey === undefined) sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, apiKey);
  } catch {
    // The key lasts as long as the page then.
  }
  client = clientWith(apiKey);
  access.set({ isLocked: false, reason: undefined, hasKey: apiKey !== undefined });
};

/** Notes when the daemon wants a key; the error goes on. */
export const noteRefusal = (thrown: unknown): void => {
  if (thrown instanceof TollamaError && thrown.code === 'UNAUTHORIZED') {
    access.update((before) => ({ ...before, isLocked: true, reason: thrown.message }));
  }
};

/**
 * Asks the daemon. Throws what the client throws; a missing key also opens the dialog that asks for it.
 *
 * @example
 * const { models } = await ask((daemon) => daemon.ps());
 */
export const ask = async <T>(question: (daemon: TollamaClient) => Promise<T>): Promise<T> => {
  try {
    return await question(client);
  } catch (error) {
    noteRefusal(error);
    throw error;
  }
};

/** The same for answers that come line by line. */
export async function* follow<T>(
  question: (daemon: TollamaClient) => AsyncIterable<T>,
): AsyncGenerator<T> {
  try {
    yield* question(client);
  } catch (error) {
    noteRefusal(error);
    throw error;
  }
}
