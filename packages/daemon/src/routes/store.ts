/** Looking after the models: copy, verify, prune, and models made from a Modelfile. */
import { errorMessage, TollamaError, toTollamaError } from '@tollama/core/errors';
import { checkModelName } from '@tollama/core/model-name';
import { ModelReference } from '@tollama/core/model-reference';
import { Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { readBody } from '../http/json-body.ts';
import { ndjsonResponse } from '../http/ndjson.ts';
import { createFromModelfile } from '../pull/create-from-modelfile.ts';
import { createRandomModel } from '../pull/create-random.ts';
import { hubCacheDir } from '../pull/hub-cache.ts';
import { pullDefaults } from '../pull/pull-defaults.ts';
import { copyModel } from '../store/copy-model.ts';
import { prune } from '../store/prune.ts';
import { verifyModel } from '../store/verify-model.ts';

export const CopyBody = z.strictObject({
  source: ModelReference,
  destination: ModelReference,
});
export const VerifyBody = z.strictObject({ model: ModelReference });
export const PruneBody = z.strictObject({ dry_run: z.boolean().default(false) });

const Random = z.strictObject({
  config: z.record(z.string(), z.unknown()),
  family: z.string().min(1).nullish(),
  seed: z.int().min(0).default(1),
});

export const CreateBody = z
  .strictObject({
    model: ModelReference,
    random: Random.optional(),
    /** Text of a Modelfile. */
    modelfile: z.string().min(1).optional(),
    /** Folder that relative paths of the Modelfile start from. */
    folder: z.string().min(1).optional(),
    stream: z.boolean().default(true),
  })
  .refine(({ random, modelfile }) => (random === undefined) !== (modelfile === undefined), {
    error: 'give either modelfile or random',
  });

const errorLine = (error: unknown): unknown => {
  const { message, hint } = toTollamaError(error);
  return { error: { message, ...(hint && { hint }) } };
};

export const storeRoutes = (context: DaemonContext): Hono => {
  const { settings, home, store, config, env, log } = context;
  const maxBytes = settings.maxBodyBytes;
  const refuseTaken = async (name: string): Promise<void> => {
    if (!(await store.find(name))) return;
    throw new TollamaError('MODEL_EXISTS', `model '${name}' exists already`, {
      hint: `tollama rm ${name}, or choose another name`,
    });
  };
  return new Hono()
    .post('/api/copy', async (c) => {
      const { source, destination } = await readBody(c, CopyBody, maxBytes);
      const { name } = await store.change(destination, () =>
        copyModel(source, destination, home, store),
      );
      return c.json({ status: 'success', model: name, source });
    })
    .post('/api/verify', async (c) => {
      const { model } = await readBody(c, VerifyBody, maxBytes);
      const manifest = await store.get(model);
      return ndjsonResponse(async (send) => {
        let damaged = 0;
        let files = 0;
        for await (const file of verifyModel(manifest)) {
          files++;
          if (file.status === 'damaged' || file.status === 'missing') damaged++;
          send({ status: 'verifying', file });
        }
        send({ status: damaged === 0 ? 'success' : 'damaged', model, files, damaged });
      }, errorLine);
    })
    .post('/api/prune', async (c) => {
      const { dry_run: isDryRun } = await readBody(c, PruneBody, maxBytes);
      const { hf_home } = pullDefaults(env, (await config.read()).config);
      const removed = await prune({
        home,
        store,
        cacheDir: hubCacheDir(env, hf_home.value),
        isDryRun,
      });
      const bytes = removed.reduce((sum, one) => sum + one.bytes, 0);
      return c.json({ status: 'success', dry_run: isDryRun, removed, freed_bytes: bytes });
    })
    .post('/api/create', async (c) => {
      const body = await readBody(c, CreateBody, maxBytes);
      const name = checkModelName(body.model);
      await refuseTaken(name);
      const create = (): Promise<unknown> =>
        store.change(name, async () => {
          await refuseTaken(name);
          return body.random
            ? createRandomModel(name, body.random, context)
            : createFromModelfile({ name, text: body.modelfile!, folder: body.folder }, context);
        });
      if (!body.stream) return c.json(await create());
      return ndjsonResponse(
        async (send) => {
          send({ status: body.random ? 'writing random weights' : 'reading Modelfile' });
          send(await create());
        },
        (error) => {
          log.warn({ model: name, error: errorMessage(error) }, 'create failed');
          return errorLine(error);
        },
      );
    });
};
