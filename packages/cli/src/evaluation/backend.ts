/** Where an evaluation's models run: the ones without weights in this process, all others in the daemon. */
import type { TollamaClient } from '@tollama/client';
import { isEmbeddedName } from '@tollama/core/statistical';
import type { ModelBackend } from '@tollama/session/backend/backend';
import { connectOrStart } from '../daemon/connect.ts';
import { pullingWhenMissing } from '../forecast/ask.ts';
import type { Progress } from '../terminal/progress.ts';

export interface BackendOptions {
  readonly baseUrl?: string | undefined;
  readonly acceptLicense: boolean;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** A daemon is found or started only when a model needs it; a model that is missing is pulled. */
export const createBackend = async (options: BackendOptions): Promise<ModelBackend> => {
  const { inProcessBackend } = await import('@tollama/session/backend/in-process');
  const local = inProcessBackend();
  let client: Promise<TollamaClient> | undefined;
  return {
    kind: 'mixed',
    async load(request) {
      if (isEmbeddedName(request.model)) return local.load(request);
      const { daemonBackend } = await import('@tollama/session/backend/daemon');
      client ??= connectOrStart({ baseUrl: options.baseUrl }, options.progress);
      const connected = await client;
      const remote = daemonBackend({ client: connected });
      return pullingWhenMissing(
        request.model,
        { ...options, client: connected, printsPull: false },
        () => remote.load(request),
      );
    },
  };
};
