/** Whether a forecast would run, and what would make it better; nothing runs and nothing throws. */
import { type CovariateSupport, NO_COVARIATES } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import type { ForecastRequest } from '@tollama/core/forecast-request';
import { parseKeepAlive } from '@tollama/core/keep-alive';
import { issuesText, type SchemaIssue } from '@tollama/core/schema-issues';
import { isNumericCovariate } from '@tollama/core/series';
import { isEmbeddedName, STATISTICAL_FAMILY } from '@tollama/core/statistical';
import type { DaemonContext } from '../context.ts';
import { filterCovariates } from './covariates.ts';
import { resolveFrequencies } from './frequency.ts';
import { contextLimit, horizonLimit } from './model-limits.ts';
import { resolveRequest } from './resolve-request.ts';

export interface Validation {
  readonly valid: boolean;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly suggestions: readonly string[];
}

type Parts = Pick<DaemonContext, 'settings' | 'config' | 'modelfiles' | 'store' | 'registry'>;

/** One sentence an issue, each naming its field. */
const errorsOf = (error: unknown): readonly string[] => {
  if (!(error instanceof TollamaError)) throw error;
  if (!Array.isArray(error.data)) return [error.message];
  return (error.data as readonly SchemaIssue[]).map((issue) => issuesText([issue]));
};

/** What is answered about a body that is not a forecast request; throws what is no refusal. */
export const invalid = (error: unknown): Validation => ({
  valid: false,
  errors: errorsOf(error),
  warnings: [],
  suggestions: [],
});

interface KnownModel {
  readonly family: string;
  readonly support: CovariateSupport;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly isInstalled: boolean;
}

const findModel = async (name: string, { store, registry }: Parts): Promise<KnownModel> => {
  if (isEmbeddedName(name)) {
    const facts = { support: NO_COVARIATES, metadata: {}, isInstalled: true };
    return { family: STATISTICAL_FAMILY, ...facts };
  }
  const manifest = await store.find(name);
  const known = manifest ?? (await registry.find(name));
  return {
    family: known?.family ?? 'unknown',
    support: known?.capabilities ?? NO_COVARIATES,
    metadata: known?.metadata ?? {},
    isInstalled: manifest !== undefined,
  };
};

const needsFuture = ({ series }: ForecastRequest, isNumeric: boolean): boolean =>
  series.some(({ future_covariates }) =>
    Object.values(future_covariates ?? {}).some(
      (values) => isNumericCovariate(values) === isNumeric,
    ),
  );

/** A model of the registry that takes what this one does not; installed ones first. */
const alternativeTo = async (
  request: ForecastRequest,
  { store, registry }: Parts,
): Promise<string | undefined> => {
  const longest = Math.max(...request.series.map(({ target }) => target.length));
  const [numeric, categorical] = [needsFuture(request, true), needsFuture(request, false)];
  const installed = new Set((await store.list()).map(({ name }) => name));
  const fits = (await registry.entries()).filter(({ name, capabilities, metadata }) => {
    const support = capabilities ?? NO_COVARIATES;
    if (name === request.model || metadata?.forecast_ready === false) return false;
    if (numeric && !support.future_covariates_numeric) return false;
    if (categorical && !support.future_covariates_categorical) return false;
    if ((horizonLimit(metadata) ?? Number.POSITIVE_INFINITY) < request.horizon) return false;
    return (contextLimit(metadata) ?? Number.POSITIVE_INFINITY) >= longest;
  });
  return (fits.find(({ name }) => installed.has(name)) ?? fits[0])?.name;
};

const suggest = async (
  request: ForecastRequest,
  { metadata, support }: KnownModel,
  parts: Parts,
): Promise<string[]> => {
  const { model, horizon, series } = request;
  const [mostSteps, mostPoints] = [horizonLimit(metadata), contextLimit(metadata)];
  const longest = Math.max(...series.map(({ target }) => target.length));
  const suggestions: string[] = [];
  if (mostSteps !== undefined && horizon > mostSteps) {
    suggestions.push(
      `horizon ${horizon} is beyond the ${mostSteps} steps that '${model}' is made for`,
    );
  }
  if (mostPoints !== undefined && longest > mostPoints) {
    suggestions.push(
      `'${model}' reads the last ${mostPoints} of ${longest} points of history; send no more than it reads`,
    );
  }
  const lacksFuture =
    (needsFuture(request, true) && !support.future_covariates_numeric) ||
    (needsFuture(request, false) && !support.future_covariates_categorical);
  if (lacksFuture) suggestions.push(`'${model}' does not use the known future covariates`);
  if (lacksFuture && request.parameters.covariates_mode === 'strict') {
    suggestions.push("covariates_mode 'best_effort' drops what the model cannot use");
  }
  const other = suggestions.length > 0 ? await alternativeTo(request, parts) : undefined;
  return other === undefined ? suggestions : [...suggestions, `'${other}' would fit`];
};

/** Checks a parsed request. */
const checkRequest = async (request: ForecastRequest, parts: Parts): Promise<Validation> => {
  const model = await findModel(request.model, parts);
  const warnings: string[] = [];
  const suggestions: string[] = [];
  if (!model.isInstalled) {
    warnings.push(
      `model '${request.model}' is not installed; what it can do is taken from the registry`,
    );
    suggestions.push(`tollama pull ${request.model}`);
  }
  const errors: string[] = [];
  const check = (rule: () => void): void => {
    try {
      rule();
    } catch (error) {
      errors.push(...errorsOf(error));
    }
  };
  check(() => parseKeepAlive(request.keep_alive));
  check(() => warnings.push(...resolveFrequencies(request.series).warnings));
  check(() => {
    const { family, support } = model;
    const isStrict = request.parameters.covariates_mode === 'strict';
    const filter = { model: request.model, family, support, isStrict };
    warnings.push(...filterCovariates(request.series, filter).warnings);
  });
  if (model.metadata.forecast_ready === false) {
    errors.push(`model '${request.model}' cannot forecast yet`);
  }
  suggestions.push(...(await suggest(request, model, parts)));
  return { valid: errors.length === 0, errors, warnings, suggestions };
};

/** Validates any JSON value as a forecast body, with its modelfile and its data. */
export const validateForecast = async (
  body: unknown,
  parts: Parts,
  signal: AbortSignal,
): Promise<Validation> => {
  try {
    const { request } = await resolveRequest(body, parts, signal);
    return await checkRequest(request, parts);
  } catch (error) {
    return invalid(error);
  }
};
