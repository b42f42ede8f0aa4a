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
  const connected = (): Promise<TollamaClient> => {
    client ??= connectOrStart({ baseUrl: options.baseUrl }, options.progress);
    return client;
  };
  return {
    kind: 'mixed',
    async identityOf(model) {
      if (isEmbeddedName(model)) return null;
      const { daemonBackend } = await import('@tollama/session/backend/daemon');
      const ready = await connected();
      const remote = daemonBackend({ client: ready });
      return pullingWhenMissing(model, { ...options, client: ready, printsPull: false }, async () =>
        remote.identityOf!(model),
      );
    },
    async load(request) {
      if (isEmbeddedName(request.model)) return local.load(request);
      const { daemonBackend } = await import('@tollama/session/backend/daemon');
      const ready = await connected();
      const remote = daemonBackend({ client: ready });
      return pullingWhenMissing(
        request.model,
        { ...options, client: ready, printsPull: false },
        () => remote.load(request),
      );
    },
  };
};
