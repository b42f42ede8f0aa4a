/** Pulling models. */
import { errorMessage, TollamaError, toTollamaError } from '@tollama/core/errors';
import { checkModelName } from '@tollama/core/model-name';
import { ModelReference } from '@tollama/core/model-reference';
import { Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { readBody } from '../http/json-body.ts';
import { ndjsonResponse } from '../http/ndjson.ts';
import { checkLicense, findPullTarget, pullModel } from '../pull/pull-model.ts';
import { PullBody, pullContext, pullOptions } from '../pull/pull-options.ts';

export const V1PullBody = z.strictObject({ name: ModelReference, accept_license: z.boolean() });

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
