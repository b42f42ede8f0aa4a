/** Tables by upload: read to series, or forecast at once. */
import { TollamaError } from '@tollama/core/errors';
import { withProfile } from '@tollama/core/forecast-profile';
import { ForecastRequest } from '@tollama/core/forecast-request';
import { IngestOptions, RepairOptions } from '@tollama/core/ingest-options';
import { parseBody } from '@tollama/core/schema-issues';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { withModelDefaults } from '../forecast/model-defaults.ts';
import { callerOf, prepareForecast } from '../forecast/serve-forecast.ts';
import { type FormBody, readForm } from '../http/form-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { type ReadTable, readTable, repairWarnings } from '../ingest/read-table.ts';
import { activeProfile } from './modelfiles.ts';

const Flag = z
  .string()
  .regex(/^(?:1|true|yes|on|0|false|no|off)$/i, 'must be true or false')
  .transform((text) => /^(?:1|true|yes|on)$/i.test(text));

const Figure = z
  .string()
  .refine((text) => text.trim() !== '' && Number.isFinite(Number(text)), 'must be a number')
  .transform(Number);

const Text = z.string().min(1).optional();

/** Fields of a form beside the file: texts, all of them. */
export const UploadFields = z.strictObject({
  format_hint: Text,
  timestamp_column: Text,
  series_id_column: Text,
  target_column: Text,
  /** Names with commas between. */
  covariate_columns: Text,
  freq: Text,
  freq_column: Text,
  preprocess_missing: Flag.optional(),
  missing_method: Text,
  missing_max_ratio: Figure.optional(),
  missing_max_gap: Figure.optional(),
  missing_edge_strategy: Text,
  missing_seasonal_period: Figure.optional(),
});
type UploadFields = z.infer<typeof UploadFields>;

/** The body of `/api/forecast/upload`. */
export const ForecastUploadFields = z.strictObject({
  ...UploadFields.shape,
  /** A forecast request as JSON, without series. */
  payload: z.string().min(1),
});

const withoutUndefined = (fields: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** Any field of the repair asks for it, unless preprocess_missing says otherwise. */
const repairOf = (fields: UploadFields): unknown => {
  const given = withoutUndefined({
    enabled: fields.preprocess_missing,
    method: fields.missing_method,
    max_missing_ratio: fields.missing_max_ratio,
    max_gap: fields.missing_max_gap,
    edge_strategy: fields.missing_edge_strategy,
    seasonal_period: fields.missing_seasonal_period,
  });
  return Object.keys(given).length > 0 ? { missing: { enabled: true, ...given } } : undefined;
};

const optionsOf = (fields: UploadFields): IngestOptions =>
  parseBody(
    IngestOptions,
    withoutUndefined({
      format: fields.format_hint,
      timestamp_column: fields.timestamp_column,
      series_id_column: fields.series_id_column,
      target_column: fields.target_column,
      covariate_columns: fields.covariate_columns?.split(',').map((name) => name.trim()),
      freq: fields.freq,
      freq_column: fields.freq_column,
      preprocessing: repairOf(fields),
    }),
  );

const readUpload = ({ file }: FormBody, options: IngestOptions): Promise<ReadTable> =>
  readTable({ path: file.name || 'upload', content: file.stream() }, options);

const parsePayload = (text: string): Readonly<Record<string, unknown>> => {
  const refuse = (message: string): never => {
    throw new TollamaError('INVALID_REQUEST', message, {
      hint: 'send payload as a JSON object such as {"model": "auto", "horizon": 12}',
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return refuse(`payload is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('payload is not a JSON object');
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const both = ['series', 'data_url'].find((name) => Object.hasOwn(fields, name));
  return both ? refuse(`payload has ${both}, but the file holds the data`) : fields;
};

/** Form fields over the payload's own ingest over the profile's. */
const mergeOptions = (payload: Readonly<Record<string, unknown>>, form: IngestOptions) => {
  const own = parseBody(z.object({ ingest: IngestOptions.nullish() }), payload).ingest ?? {};
  return { ...own, ...withoutUndefined(form) } as IngestOptions;
};

export const ingestRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { settings, store } = context;

  const readForecast = async (c: Context<RequestVariables>) => {
    const form = await readForm(c, settings.maxBodyBytes);
    const { payload: text, ...fields } = parseBody(ForecastUploadFields, form.fields);
    const { modelfile, ...own } = parsePayload(text);
    const named = parseBody(z.string().min(1).nullish(), modelfile);
    const profile = named ? await activeProfile(named, context) : undefined;
    const missing = profile?.preprocessing?.missing;
    const options = {
      ...(missing && { preprocessing: { missing: RepairOptions.parse(missing) } }),
      ...mergeOptions(own, optionsOf(fields)),
    };
    const { series, repairs } = await readUpload(form, options);
    const { ingest: _, ...rest } = own;
    const body = profile ? withProfile({ ...rest, series }, profile) : { ...rest, series };
    const defaulted = await withModelDefaults(body, store);
    return { request: parseBody(ForecastRequest, defaulted), repairs };
  };

  return new Hono<RequestVariables>()
    .post('/api/ingest/upload', async (c) => {
      const form = await readForm(c, settings.maxBodyBytes);
      const options = optionsOf(parseBody(UploadFields, form.fields));
      const { series, repairs } = await readUpload(form, options);
      return c.json({
        filename: form.file.name,
        series,
        ...(repairs && { preprocessing: repairs, warnings: repairWarnings(repairs) }),
      });
    })
    .post('/api/forecast/upload', async (c) => {
      const resolved = await readForecast(c);
      return c.json(await (await prepareForecast(context, resolved, callerOf(c))).run());
    });
};
