/** A client for a server that lives long: a daemon that ended itself meanwhile is started again. */
import { TollamaClient } from '@tollama/client';
import { connect, connectOrStart } from '../daemon/connect.ts';
import { createProgress } from '../terminal/progress.ts';

/** Starts a daemon where none answers, unless the user named an address. */
export const daemonClient = (
  baseUrl: string | undefined,
  apiKey: string | undefined,
): TollamaClient => {
  const address = connect({ baseUrl }).baseUrl;
  let starting: Promise<unknown> | undefined;
  const start = (): Promise<unknown> => {
    starting ??= connectOrStart({}, createProgress('off', true)).finally(() => {
      starting = undefined;
    });
    return starting;
  };
  const fetchStarting: typeof fetch = async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      if (baseUrl !== undefined || init?.signal?.aborted) throw error;
      await start();
      return fetch(input, init);
    }
  };
  return new TollamaClient({ baseUrl: address, apiKey, fetch: fetchStarting });
};
