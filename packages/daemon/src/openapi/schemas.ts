/** The named schemas of the document: bodies as they are sent, answers as they come. */

import * as daemon from '@tollama/core/answers/daemon';
import * as jobs from '@tollama/core/answers/jobs';
import * as models from '@tollama/core/answers/models';
import * as profiles from '@tollama/core/answers/profiles';
import * as progress from '@tollama/core/answers/progress';
import * as reports from '@tollama/core/answers/reports';
import * as series from '@tollama/core/answers/series';
import * as streams from '@tollama/core/answers/streams';
import * as variants from '@tollama/core/answers/variants';
import { BatchRun } from '@tollama/core/batch-run';
import { CovariateSupport } from '@tollama/core/capabilities';
import { ForecastProfile } from '@tollama/core/forecast-profile';
import * as forecastRequest from '@tollama/core/forecast-request';
import * as forecastResponse from '@tollama/core/forecast-response';
import { Forecast } from '@tollama/core/forecast-response';
import * as forecastVariants from '@tollama/core/forecast-variants';
import { IngestOptions } from '@tollama/core/ingest-options';
import { Manifest, ManifestLicense, ModelSource } from '@tollama/core/manifest';
import { Series } from '@tollama/core/series';
import * as seriesRequests from '@tollama/core/series-requests';
import {
  JobOptions,
  JobProgress,
  JobResult,
  JobState,
  TrainingEventLine,
} from '@tollama/core/training-job';
import { z } from 'zod';
import { SeriesBlock } from '../timegpt/panel.ts';
import * as errors from './errors.ts';
import * as inference from './inference-schemas.ts';
import { OPERATIONS } from './operations/all.ts';
import * as system from './operations/system.ts';
import { JOB_BODIES } from './operations/timegpt.ts';
import * as timegpt from './timegpt-answers.ts';

export type Json = Readonly<Record<string, unknown>>;

const namesIn = (rooms: readonly object[]): [z.ZodType, string][] =>
  rooms.flatMap((room) =>
    Object.entries(room).flatMap(([name, value]: [string, unknown]): [z.ZodType, string][] =>
      value instanceof z.ZodType ? [[value, name]] : [],
    ),
  );

/** Parts of bodies that have a name of their own. */
const PARTS: readonly [z.ZodType, string][] = [
  [Series, 'Series'],
  [Forecast, 'Forecast'],
  [ForecastProfile, 'ForecastProfileBody'],
  [IngestOptions, 'IngestOptions'],
  [JobOptions, 'TrainingOptions'],
  [SeriesBlock, 'TimegptSeries'],
];

/** A series with its defaults filled in is not the one that may be sent, hence another name. */
const answerNames = new Map<z.ZodType, string>([
  ...namesIn([daemon, jobs, models, profiles, progress, reports, series, streams, variants]),
  ...namesIn([errors, inference, system, timegpt]),
  [Series, 'ReadSeries'],
  ...namesIn([forecastResponse]),
  [ForecastProfile, 'ForecastProfile'],
  [CovariateSupport, 'CovariateSupport'],
  [Manifest, 'Manifest'],
  [ManifestLicense, 'ManifestLicense'],
  [ModelSource, 'ModelSource'],
  [BatchRun, 'BatchRun'],
  [JobState, 'TrainingJob'],
  [JobProgress, 'TrainingProgress'],
  [JobResult, 'TrainingResult'],
  [TrainingEventLine, 'TrainingEventLine'],
]);
const sent = OPERATIONS.flatMap(({ body, form }) =>
  [body, form].filter((one) => one !== undefined),
);

for (const { schema } of sent) answerNames.delete(schema);
answerNames.delete(variants.Warnings);

/** Objects within bodies, but for those that answers have as well: these may differ by their defaults. */
const bodyParts = namesIn([forecastRequest, forecastVariants, seriesRequests, JOB_BODIES]).filter(
  ([schema]) => schema instanceof z.ZodObject && !answerNames.has(schema),
);

const bodyNames = new Map<z.ZodType, string>([
  ...bodyParts,
  ...PARTS,
  ...sent.map(({ name, schema }): [z.ZodType, string] => [schema, name]),
]);

export const refTo = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

export const bodyRef = (schema: z.ZodType): Json => refTo(bodyNames.get(schema)!);
export const answerRef = (schema: z.ZodType): Json => refTo(answerNames.get(schema)!);

const listOf = (...types: readonly string[]): Json => ({
  type: 'array',
  items: { type: types.length > 1 ? types : types[0] },
});

/** Columns are checked by hand for speed; here they are said in full. */
const ROWS = {
  anyOf: [{ type: 'array', items: listOf('number', 'string', 'null') }, { type: 'null' }],
};
const COLUMNS = {
  y: { ...listOf('number', 'null'), description: 'all series, one after the other' },
  sizes: { ...listOf('integer'), description: 'points of each series' },
  X: { ...ROWS, description: 'exogenous rows beside y' },
  X_future: { ...ROWS, description: 'the same rows over the horizon' },
} as const;

interface Overriding {
  readonly zodSchema: unknown;
  readonly jsonSchema: Record<string, unknown>;
}

/** Bounds of a double's integers say nothing to a reader, and nothing but the size to a generator. */
const plainInteger = (schema: Record<string, unknown>): void => {
  if (schema.type !== 'integer' || schema.maximum !== Number.MAX_SAFE_INTEGER) return;
  delete schema.maximum;
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum;
  schema.format = 'int64';
};

const override = ({ zodSchema, jsonSchema }: Overriding): void => {
  if (zodSchema === SeriesBlock) Object.assign(jsonSchema.properties as object, COLUMNS);
  plainInteger(jsonSchema);
};

/** Answers may have more fields one day: nobody is to refuse them for that. */
const openOverride = (context: Overriding): void => {
  override(context);
  if (context.jsonSchema.additionalProperties === false)
    delete context.jsonSchema.additionalProperties;
};

const schemasOf = (
  names: ReadonlyMap<z.ZodType, string>,
  io: 'input' | 'output',
): readonly [string, Json][] => {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    unrepresentable: 'any',
    uri: (id) => `#/components/schemas/${id}`,
    override: io === 'input' ? override : openOverride,
  });
  return Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema as Json]);
};

/** A schema that stands where it is used: of a parameter. */
export const inlineSchema = (schema: z.ZodType): Json => {
  const { $schema, ...plain } = z.toJSONSchema(schema, { io: 'input', override });
  return plain;
};

const referencesIn = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, name]) => name!,
  );

/** All named schemas that the paths come to. */
export const componentsOf = (paths: Json): Json => {
  const all = new Map([...schemasOf(bodyNames, 'input'), ...schemasOf(answerNames, 'output')]);
  const used = new Map<string, Json>();
  const waiting = referencesIn(paths);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (used.has(name)) continue;
    used.set(name, all.get(name)!);
    waiting.push(...referencesIn(all.get(name)));
  }
  return Object.fromEntries([...used].toSorted(([a], [b]) => (a < b ? -1 : 1)));
};
