/** From a body to a request whose defaults are filled in and whose series are at hand. */
import { TollamaError } from '@tollama/core/errors';
import { withProfile } from '@tollama/core/forecast-profile';
import { ForecastRequest } from '@tollama/core/forecast-request';
import { IngestOptions, type RepairReport } from '@tollama/core/ingest-options';
import { parseBody } from '@tollama/core/schema-issues';
import { z } from 'zod';
import type { DaemonContext } from '../context.ts';
import { openDataUrl } from '../ingest/data-url.ts';
import { readTable } from '../ingest/read-table.ts';
import { activeProfile } from '../routes/modelfiles.ts';
import { withModelDefaults } from './model-defaults.ts';

export interface ResolvedRequest {
  readonly request: ForecastRequest;
  /** Repairs of series that came from a table; null when none were asked for. */
  readonly repairs: readonly RepairReport[] | null;
}

type Fields = Readonly<Record<string, unknown>>;
type Parts = Pick<DaemonContext, 'settings' | 'config' | 'modelfiles' | 'store'>;

/** The fields that say where the rest comes from. */
const Sources = z.looseObject({
  modelfile: z.string().min(1).nullish(),
  data_url: z.string().min(1).nullish(),
  ingest: IngestOptions.nullish(),
});

/** What the model's own Modelfile sets stands below all else. */
const parse = async (fields: unknown, { store }: Parts): Promise<ForecastRequest> =>
  parseBody(ForecastRequest, await withModelDefaults(fields, store));

/** Reads the table that a request names. */
const withTable = async (
  fields: Fields,
  dataUrl: string,
  parts: Parts,
  signal: AbortSignal,
): Promise<ResolvedRequest> => {
  if (fields.series !== undefined && fields.series !== null) {
    const message = 'give either series or data_url, not both';
    throw new TollamaError('INVALID_REQUEST', message, {
      data: [{ type: 'value_error', loc: ['body', 'data_url'], msg: message }],
    });
  }
  const { ingest } = parseBody(Sources, fields);
  const source = await openDataUrl(dataUrl, parts, signal);
  const { series, repairs } = await readTable(source, ingest ?? IngestOptions.parse({}));
  const { data_url: _, ...rest } = fields;
  return { request: await parse({ ...rest, series }, parts), repairs };
};

/**
 * Request over profile over the model's defaults over the schema's.
 *
 * @throws TollamaError INVALID_REQUEST, INVALID_INPUT for a table, NOT_FOUND for a modelfile
 */
export const resolveRequest = async (
  body: unknown,
  parts: Parts,
  signal: AbortSignal,
): Promise<ResolvedRequest> => {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  const { modelfile, data_url } = (isObject ? body : {}) as Fields;
  if ((modelfile ?? data_url ?? null) === null) {
    return { request: await parse(body, parts), repairs: null };
  }
  const sources = parseBody(Sources, body);
  const profile = sources.modelfile ? await activeProfile(sources.modelfile, parts) : undefined;
  const fields = profile ? withProfile(body as Fields, profile) : (body as Fields);
  if (sources.data_url) return withTable(fields, sources.data_url, parts, signal);
  return { request: await parse(fields, parts), repairs: null };
};
