/** Forecast profiles: defaults that requests take by `modelfile`. */
import { TollamaError } from '@tollama/core/errors';
import { ForecastProfile } from '@tollama/core/forecast-profile';
import { Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { readBody } from '../http/json-body.ts';
import { parseProfile } from '../store/modelfile-store.ts';

export const ModelfileBody = z
  .strictObject({
    name: z.string().min(1),
    profile: ForecastProfile.nullish(),
    /** The profile as YAML. */
    content: z.string().min(1).nullish(),
  })
  .refine(({ profile, content }) => Boolean(profile) !== Boolean(content), {
    error: 'give either profile or content',
  });

export const modelfileRoutes = ({ settings, modelfiles }: DaemonContext): Hono =>
  new Hono()
    .get('/api/modelfiles', async (c) => c.json({ modelfiles: await modelfiles.list() }))
    .post('/api/modelfiles', async (c) => {
      const { name, profile, content } = await readBody(c, ModelfileBody, settings.maxBodyBytes);
      const chosen = profile ?? (await parseProfile(content!));
      return c.json(await modelfiles.write(name, chosen));
    })
    .get('/api/modelfiles/:name', async (c) => c.json(await modelfiles.get(c.req.param('name'))))
    .delete('/api/modelfiles/:name', async (c) => {
      const name = c.req.param('name');
      await modelfiles.remove(name);
      return c.json({ deleted: true, name });
    });

/** The profile that a request names. Throws NOT_FOUND, or INVALID_REQUEST when it is switched off. */
export const activeProfile = async (
  name: string,
  { modelfiles }: Pick<DaemonContext, 'modelfiles'>,
): Promise<ForecastProfile> => {
  const { profile } = await modelfiles.get(name);
  if (profile.enabled) return profile;
  throw new TollamaError('INVALID_REQUEST', `modelfile '${name}' is switched off`, {
    hint: 'write it again with enabled: true, or leave modelfile out',
  });
};
