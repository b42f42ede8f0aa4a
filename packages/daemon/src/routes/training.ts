/** Trainings as jobs: start, look at, listen to, stop, go on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toTollamaError } from '@tollama/core/errors';
import { IngestOptions } from '@tollama/core/ingest-options';
import { checkModelName } from '@tollama/core/model-name';
import { parseBody } from '@tollama/core/schema-issues';
import { isNumericCovariate, Series } from '@tollama/core/series';
import { type JobConfig, type JobSeries, TrainBody } from '@tollama/core/training-job';
import { Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { errorBody } from '../http/errors.ts';
import { readBody } from '../http/json-body.ts';
import { sseResponse } from '../http/sse.ts';
import { openDataUrl } from '../ingest/data-url.ts';
import { readTable } from '../ingest/read-table.ts';
import { baseOf } from '../training/base-of.ts';
import { checkTrainedName } from '../training/install-trained.ts';

/** `sales` of a base is `base:sales`; a model of its own keeps its name. */
const modelName = ({ model, name }: TrainBody): string =>
  checkModelName(model && !name.includes(':') ? `${model}:${name}` : name);

/** Words are no use to the models that are trained here. */
const numericOf = (covariates: Series['past_covariates']) =>
  Object.fromEntries(
    Object.entries(covariates ?? {}).flatMap(([name, values]) =>
      isNumericCovariate(values) ? [[name, values] as const] : [],
    ),
  );

const toJobSeries = (one: Series): JobSeries[number] => {
  const { id, freq, target, missing_indices, past_covariates, static_covariates } = one;
  const missing = new Set(missing_indices ?? []);
  const values = target.map((value, i) => (missing.has(i) ? null : value));
  return {
    ...{ id, freq: freq === 'auto' ? null : freq, values },
    ...(past_covariates && { past_covariates: numericOf(past_covariates) }),
    ...(static_covariates && { static_covariates }),
  };
};

const CovariateColumns = z.object({
  past_covariates: z.array(z.string()).default([]),
  future_covariates: z.array(z.string()).default([]),
});

/** Columns that a model reads, as its config.json names them; none of a config that names no such thing. */
const columnsOf = (config: unknown): readonly string[] => {
  const { data } = CovariateColumns.safeParse(config);
  return data ? [...new Set([...data.past_covariates, ...data.future_covariates])] : [];
};

const configOf = async (base: JobConfig['base']): Promise<unknown> => {
  if (!base?.folder) return undefined;
  const text = await readFile(join(base.folder, 'config.json'), 'utf8').catch(() => 'null');
  return JSON.parse(text) as unknown;
};

const seriesOf = async (
  { series, data_url, ingest, architecture }: TrainBody,
  base: JobConfig['base'],
  context: DaemonContext,
  signal: AbortSignal,
): Promise<JobSeries> => {
  if (series) return series.map(toJobSeries);
  const source = await openDataUrl(data_url!, context, signal);
  const options = ingest ?? IngestOptions.parse({});
  const columns = columnsOf(architecture ?? (await configOf(base)));
  const table = await readTable(
    source,
    columns.length > 0 ? { covariate_columns: [...columns], ...options } : options,
  );
  return parseBody(z.array(Series).min(1), table.series).map(toJobSeries);
};

const afterOf = (text: string | undefined): number => {
  const seq = Number(text ?? 0);
  return Number.isSafeInteger(seq) && seq > 0 ? seq : 0;
};

export const trainingRoutes = (context: DaemonContext): Hono => {
  const { settings, training } = context;
  return new Hono()
    .post('/api/train', async (c) => {
      const body = await readBody(c, TrainBody, settings.maxBodyBytes);
      const name = modelName(body);
      const base = body.model ? await baseOf(body.model, context) : null;
      await checkTrainedName(name, context);
      const series = await seriesOf(body, base, context, c.req.raw.signal);
      const { architecture } = body;
      // Random weights have nothing that an adapter could keep.
      const options = base ? body.options : { ...body.options, adapter: 'full' as const };
      const job = await training.create({ name, base, architecture, options, series });
      return c.json(job, 202);
    })
    .get('/api/train', async (c) => c.json({ jobs: await training.list() }))
    .get('/api/train/:id', async (c) => c.json(await training.get(c.req.param('id'))))
    .get('/api/train/:id/events', async (c) => {
      const since = await training.events(c.req.param('id'));
      const after = afterOf(c.req.header('last-event-id') ?? c.req.query('after'));
      return sseResponse(
        async ({ send, signal }) => {
          for await (const event of since(after, signal)) {
            send({ id: String(event.seq), event: event.name, data: event });
          }
          send({ event: 'end', data: await training.get(c.req.param('id')) });
        },
        (error) => ({ event: 'error', data: errorBody(toTollamaError(error)) }),
      );
    })
    .post('/api/train/:id/resume', async (c) => c.json(await training.resume(c.req.param('id'))))
    .delete('/api/train/:id', async (c) => {
      const id = c.req.param('id');
      if (c.req.query('purge') !== 'true') return c.json(await training.cancel(id));
      await training.purge(id);
      return c.json({ deleted: true, id });
    });
};
