/** KServe's time-series API: `/v1/timeseries/forecast` and the list of its models. */
import { randomUUID } from 'node:crypto';
import { quantileKey } from '@tollama/core/forecast-response';
import { futureTimestamps, parseTimestamps } from '@tollama/core/frequency';
import { LIMITS } from '@tollama/core/limits';
import { parseBody } from '@tollama/core/schema-issues';
import { Hono } from 'hono';
import { z } from 'zod';
import { type KnownFrequency, knownFrequency } from '../columnar/frequency.ts';
import { forecastWithIntervals } from '../columnar/intervals.ts';
import { ModelCalls } from '../columnar/model-calls.ts';
import type { DaemonContext } from '../context.ts';
import { parseDecoded, readDecoded } from '../http/decoded-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { Repository } from './repository.ts';

/** Their names of frequencies, and ours; months and longer keep the day of the month that they start at. */
const FREQUENCIES = {
  ...{ S: 's', second: 's', T: 'min', minute: 'min', H: 'h', hour: 'h', D: 'D', day: 'D' },
  ...{ W: 'W', week: 'W', M: 'MS', month: 'MS', Q: 'QS', quarter: 'QS', Y: 'YS', year: 'YS' },
} as const;
type FrequencyName = keyof typeof FREQUENCIES;

const NAMES = Object.keys(FREQUENCIES) as [FrequencyName, ...FrequencyName[]];

const Value = z.number().nullable();

const COMMON = {
  name: z.string(),
  frequency: z.enum(NAMES),
  start_timestamp: z.string().nullish(),
};

const Input = z.discriminatedUnion('type', [
  z.object({ type: z.literal('univariate_time_series'), series: z.array(Value).min(1), ...COMMON }),
  z.object({
    type: z.literal('multivariate_time_series'),
    /** One list for each step, one value in it for each variate. */
    series: z
      .array(z.array(Value).min(1))
      .min(1)
      .refine((steps) => steps.every((step) => step.length === steps[0]!.length), {
        error: 'every step must have a value for each variate',
      }),
    ...COMMON,
  }),
]);
type Input = z.infer<typeof Input>;

export const TimeSeriesBody = z.object({
  model: z.string().min(1),
  inputs: z.array(Input).min(1).max(LIMITS.series),
  options: z.object({
    horizon: z.int().positive().max(LIMITS.horizon),
    quantiles: z.array(z.number().gt(0).lt(1)).nullish(),
  }),
});
type TimeSeriesBody = z.infer<typeof TimeSeriesBody>;

/** The variates of an input as columns. */
const columnsOf = (input: Input): Float64Array[] => {
  const column = (values: readonly (number | null)[]) =>
    Float64Array.from(values, (value) => value ?? Number.NaN);
  if (input.type === 'univariate_time_series') return [column(input.series)];
  return input.series[0]!.map((_, variate) => column(input.series.map((step) => step[variate]!)));
};

/** When the forecast starts: a step after the last value; now, where nobody said when the history began. */
const startOf = ({ series, start_timestamp }: Input, { frequency }: KnownFrequency): string => {
  if (!start_timestamp) return new Date().toISOString();
  const first = parseTimestamps([start_timestamp])[0]!;
  return futureTimestamps(first, frequency, series.length).at(-1)!;
};

/** Variates side by side again, step by step, where the input was of that kind. */
const shaped = ({ type }: Input, rows: readonly (readonly number[])[]): unknown =>
  type === 'univariate_time_series'
    ? rows[0]
    : rows[0]!.map((_, step) => rows.map((row) => row[step]!));

const forecastInput = async (
  input: Input,
  context: DaemonContext,
  { model, options }: TimeSeriesBody,
  signal: AbortSignal,
) => {
  const { profiles, forecaster, supervisor } = context;
  const known = knownFrequency(FREQUENCIES[input.frequency]);
  const profile = await profiles.of(model);
  const isOwn = supervisor.isOwn(profile.family);
  const calls = new ModelCalls({
    forecaster,
    profile,
    freq: known.alias,
    options: {},
    timestampsOf: ({ target }) =>
      Array.from({ length: isOwn ? 1 : target.length }, (_, i) => String(i + 1)),
    signal,
  });
  const start_timestamp = startOf(input, known);
  const asked = options.quantiles ?? [];
  const levels = [...new Set(asked)].toSorted((a, b) => a - b);
  const series = columnsOf(input).map((target) => ({ target }));
  const isTogether = series.length > 1;
  const rows = await forecastWithIntervals(calls, series, options.horizon, { levels, isTogether });
  const quantiles = levels.map((level, place) => [
    quantileKey(level),
    shaped(
      input,
      rows.map((row) => row.quantiles[place]!),
    ),
  ]);
  return {
    inferenceMs: calls.inferenceMs,
    points: input.series.length * series.length,
    content: {
      type: input.type,
      name: input.name,
      mean_forecast: shaped(
        input,
        rows.map(({ mean }) => mean),
      ),
      frequency: input.frequency,
      start_timestamp,
      ...(levels.length > 0 && { quantiles: Object.fromEntries(quantiles) }),
    },
    made: options.horizon * series.length,
  };
};

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

export const timeSeriesRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { settings, usage } = context;
  const repository = new Repository(context);
  return new Hono<RequestVariables>()
    .get('/v1/timeseries/models', async (c) => c.json(await repository.names()))
    .post('/v1/timeseries/forecast', async (c) => {
      const maxBytes = Math.max(settings.maxBodyBytes, LIMITS.panelBodyBytes);
      const body = parseBody(
        TimeSeriesBody,
        parseDecoded(await readDecoded(c.req.raw, { maxBytes })),
      );
      const parts = await Promise.all(
        body.inputs.map((input) => forecastInput(input, context, body, c.req.raw.signal)),
      );
      const prompt_tokens = sum(parts, ({ points }) => points);
      const completion_tokens = sum(parts, ({ made }) => made);
      usage.record(c.get('keyId'), {
        inferenceMs: sum(parts, ({ inferenceMs }) => inferenceMs),
        series: parts.length,
      });
      const content = parts.map((part) => part.content);
      const output = {
        type: 'time_series_forecast',
        id: randomUUID(),
        status: 'completed',
        content,
      };
      return c.json({
        id: randomUUID(),
        created_at: Math.floor(Date.now() / 1000),
        status: 'completed',
        error: null,
        model: body.model,
        outputs: [{ ...output, error: null }],
        usage: {
          prompt_tokens,
          completion_tokens,
          total_tokens: prompt_tokens + completion_tokens,
        },
      });
    });
};
