/** Pulling models. */
import { errorMessage, TollamaError, toTollamaError } from '@tollama/core/errors';
import { ModelFacts } from '@tollama/core/model-facts';
import { checkModelName } from '@tollama/core/model-name';
import { Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { readBody } from '../http/json-body.ts';
import { ndjsonResponse } from '../http/ndjson.ts';
import { hubCacheDir } from '../pull/hub-cache.ts';
import { pullDefaults } from '../pull/pull-defaults.ts';
import {
  checkLicense,
  findPullTarget,
  type PullContext,
  type PullOptions,
  pullModel,
} from '../pull/pull-model.ts';

const Flag = z.boolean().nullish();
const Text = z.string().nullish();

/** Fields that are not known are ignored here, as the contract says. */
const PullBody = z.object({
  model: z.string().min(1),
  name: Text,
  stream: z.boolean().default(true),
  accept_license: z.boolean().default(false),
  insecure: Flag,
  offline: Flag,
  local_files_only: Flag,
  http_proxy: Text,
  https_proxy: Text,
  no_proxy: Text,
  hf_home: Text,
  token: Text,
  max_workers: z.int().positive().nullish(),
});
type PullBody = z.infer<typeof PullBody>;

const V1PullBody = z.strictObject({ name: z.string().min(1), accept_license: z.boolean() });

const INSPECT_TIMEOUT_MS = 60_000;

/** Request over environment over config over default; an explicit null clears. */
const pullOptions = async (
  body: PullBody,
  { settings, config, env }: DaemonContext,
  signal: AbortSignal,
): Promise<PullOptions> => {
  const defaults = pullDefaults(env, await config.require());
  const token = body.token === undefined ? settings.hubToken : (body.token ?? undefined);
  const hfHome = body.hf_home === undefined ? defaults.hf_home.value : body.hf_home;
  const isOffline = body.offline ?? defaults.offline.value;
  return {
    acceptLicense: body.accept_license,
    name: body.name ?? undefined,
    hub: { endpoint: settings.hubEndpoint, token, signal },
    cacheDir: hubCacheDir(env, hfHome),
    maxWorkers: body.max_workers ?? defaults.max_workers.value,
    isOffline:
      isOffline ||
      (body.local_files_only ?? (body.offline === undefined && defaults.local_files_only.value)),
  };
};

const pullContext = ({ home, store, registry, supervisor }: DaemonContext): PullContext => ({
  home,
  store,
  registry,
  now: () => new Date(),
  inspect: async (model, folder) => {
    const params = { model, model_local_dir: folder };
    const answer = await supervisor.callAlone('capabilities', params, {
      timeoutMs: INSPECT_TIMEOUT_MS,
    });
    return ModelFacts.parse(answer);
  },
});

export const pullRoutes = (context: DaemonContext): Hono => {
  const { settings, log, store, registry } = context;

  return new Hono()
    .post('/api/pull', async (c) => {
      const body = await readBody(c, PullBody, settings.maxBodyBytes);
      // A pull outlives a client that hangs up only when it is not streamed to it.
      const stop = new AbortController();
      c.req.raw.signal.addEventListener('abort', () =>
        stop.abort(new TollamaError('INTERRUPTED', 'the client went away')),
      );
      const options = await pullOptions(body, context, stop.signal);
      const target = await findPullTarget(body.model, registry, options.name);
      checkLicense(target, options.acceptLicense, await store.find(target.name));
      if (!body.stream)
        return c.json(await pullModel(target, pullContext(context), options, () => {}));
      return ndjsonResponse(
        async (send) => send(await pullModel(target, pullContext(context), options, send)),
        (error) => {
          log.warn({ model: body.model, error: errorMessage(error) }, 'pull failed');
          const { message, hint } = toTollamaError(error, 'PULL_FAILED');
          return { error: { message, ...(hint && { hint }) } };
        },
      );
    })
    .post('/v1/models/pull', async (c) => {
      const { name, accept_license } = await readBody(c, V1PullBody, settings.maxBodyBytes);
      checkModelName(name);
      const body = PullBody.parse({ model: name, accept_license });
      const options = await pullOptions(body, context, c.req.raw.signal);
      await pullModel(
        await findPullTarget(name, registry),
        pullContext(context),
        options,
        () => {},
      );
      return c.json(await store.get(name));
    });
};
