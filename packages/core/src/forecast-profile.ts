/** Forecast profiles ("modelfiles"): defaults that a request takes by name (daemon contract, section 9). */
import { z } from 'zod';
import { ForecastParameters, Quantiles } from './forecast-request.ts';
import { RepairOptions } from './ingest-options.ts';
import { LIMITS } from './limits.ts';

export const ForecastProfile = z.strictObject({
  model: z.string().min(1),
  horizon: z.int().positive().max(LIMITS.horizon).nullish(),
  quantiles: Quantiles.default([]),
  options: z.record(z.string().min(1), z.unknown()).default({}),
  parameters: ForecastParameters.prefault({}),
  /** Name in the request -> name that the model knows. */
  covariate_mappings: z.record(z.string().min(1), z.string().min(1)).nullish(),
  /** `missing` is the repair of gaps; other fields are the owner's notes. */
  preprocessing: z.looseObject({ missing: RepairOptions.nullish() }).nullish(),
  enabled: z.boolean().default(true),
});
export type ForecastProfile = z.infer<typeof ForecastProfile>;

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const deepMerge = (base: Fields, over: Fields): Fields => {
  const merged: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = merged[key];
    merged[key] = isObject(value) && isObject(below) ? deepMerge(below, value) : value;
  }
  return merged;
};

const renamed = (covariates: unknown, names: Readonly<Record<string, string>>): unknown =>
  isObject(covariates)
    ? Object.fromEntries(
        Object.entries(covariates).map(([name, values]) => [
          Object.hasOwn(names, name) ? names[name]! : name,
          values,
        ]),
      )
    : covariates;

const COVARIATE_FIELDS = ['past_covariates', 'future_covariates', 'static_covariates'] as const;

const withNames = (series: unknown, names: Readonly<Record<string, string>>): unknown =>
  Array.isArray(series)
    ? series.map((one: unknown) =>
        isObject(one)
          ? {
              ...one,
              ...Object.fromEntries(
                COVARIATE_FIELDS.filter((field) => field in one).map((field) => [
                  field,
                  renamed(one[field], names),
                ]),
              ),
            }
          : one,
      )
    : series;

const ingestOf = ({ preprocessing }: ForecastProfile, given: unknown): Fields => {
  const missing = preprocessing?.missing;
  if (!missing || (given !== undefined && given !== null && !isObject(given))) return {};
  return { ingest: { preprocessing: { missing }, ...(isObject(given) ? given : {}) } };
};

/**
 * A request's own fields over the profile's; what neither has gets the schema's default when it is parsed.
 * The request is not checked yet.
 *
 * @example
 * withProfile({ horizon: 3, series }, profile); // { model: profile.model, horizon: 3, series, ... }
 */
export const withProfile = (request: Fields, profile: ForecastProfile): Fields => {
  const { model, horizon, quantiles, options, parameters, covariate_mappings } = profile;
  const given = (name: string): boolean => request[name] !== undefined && request[name] !== null;
  const fallback = (name: string, value: unknown): Fields =>
    given(name) || value === undefined || value === null ? {} : { [name]: value };
  const merge = (name: string, base: Fields): Fields =>
    !given(name)
      ? { [name]: base }
      : isObject(request[name])
        ? { [name]: deepMerge(base, request[name]) }
        : {};
  return {
    ...request,
    ...fallback('model', model),
    ...fallback('horizon', horizon),
    ...fallback('quantiles', quantiles.length > 0 ? quantiles : undefined),
    ...merge('options', options),
    ...merge('parameters', parameters),
    ...(covariate_mappings && given('series')
      ? { series: withNames(request.series, covariate_mappings) }
      : {}),
    ...(given('data_url') ? ingestOf(profile, request.ingest) : {}),
  };
};
