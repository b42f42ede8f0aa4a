/** Forecasts of a hierarchy made coherent: by a forecast that is at hand, or by series and a model. */
import { TollamaError } from '@tollama/core/errors';
import type { Forecast } from '@tollama/core/forecast-response';
import type {
  GivenForecast,
  ReconcileForecastRequest,
  ReconcileMethod,
} from '@tollama/core/series-requests';
import { type Structure, structureOf } from './hierarchy.ts';
import { bottomUp, diagonal, type Paths, project, topDown } from './project.ts';
import { shrunkCovariance } from './shrinkage.ts';

/** Errors of earlier forecasts by series id. */
export type Residuals = Readonly<Record<string, readonly number[]>>;

export interface ReconcileChoice {
  readonly method: ReconcileMethod;
  readonly proportions?: Readonly<Record<string, number>> | null | undefined;
  readonly residuals?: Residuals | null | undefined;
}

export interface Reconciliation {
  /** Coherent paths in the order of the structure's ids. */
  readonly paths: Paths;
  readonly used: ReconcileMethod;
  readonly shrinkage: number | null;
  readonly warnings: readonly string[];
}

const refuse = (problem: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', problem, { hint });
};

const errorsOf = ({ ids }: Structure, residuals: Residuals): readonly (readonly number[])[] => {
  const rows = ids.map((id) =>
    Object.hasOwn(residuals, id)
      ? residuals[id]!
      : refuse(`residuals has no errors of '${id}'`, 'give errors of each series of the tree'),
  );
  const odd = rows.findIndex(({ length }) => length !== rows[0]!.length);
  if (odd >= 0) {
    const lengths = `residuals of '${ids[odd]}' has ${rows[odd]!.length} errors, of '${ids[0]}' ${rows[0]!.length}`;
    refuse(lengths, 'give errors at the same times for all series');
  }
  return rows;
};

const countLeaves = ({ below }: Structure): number[] => below.map(({ length }) => length);

/** The coherent forecasts of a structure. base: in the order of its ids */
export const reconcilePaths = (
  structure: Structure,
  base: Paths,
  { method, proportions, residuals }: ReconcileChoice,
): Reconciliation => {
  const plain = (
    paths: Paths,
    used = method,
    warnings: readonly string[] = [],
  ): Reconciliation => ({
    paths,
    used,
    shrinkage: null,
    warnings,
  });
  switch (method) {
    case 'bottom_up':
      return plain(bottomUp(structure, base));
    case 'top_down':
      return plain(topDown(structure, base, proportions));
    case 'ols':
      return plain(project(structure, base, diagonal(structure.ids.map(() => 1))));
    case 'wls_struct':
      return plain(project(structure, base, diagonal(countLeaves(structure))));
    case 'mint_shrink': {
      if (!residuals) {
        const paths = project(structure, base, diagonal(countLeaves(structure)));
        const why =
          'mint_shrink needs residuals; without them series weigh by their number of leaves';
        return plain(paths, 'wls_struct', [why]);
      }
      const { covariance, intensity } = shrunkCovariance(errorsOf(structure, residuals));
      const paths = project(structure, base, covariance);
      return { paths, used: method, shrinkage: intensity, warnings: [] };
    }
  }
};

/** Series that a method reads. */
const neededIds = ({ ids, leaves, roots }: Structure, { method, proportions }: ReconcileChoice) => {
  if (method === 'bottom_up') return leaves;
  if (method === 'top_down') return proportions ? roots : [...roots, ...leaves];
  return ids;
};

/** The forecasts as paths in the order of the tree; what a method does not read may be missing and is 0. */
const basePaths = (
  structure: Structure,
  forecasts: ReadonlyMap<string, Forecast>,
  choice: ReconcileChoice,
): Paths => {
  const missing = neededIds(structure, choice).filter((id) => !forecasts.has(id));
  if (missing.length > 0) {
    const names = missing.map((id) => `'${id}'`).join(', ');
    refuse(
      `${choice.method} needs forecasts of ${names}`,
      'forecast them too, or use bottom_up, which needs leaves only',
    );
  }
  const known = structure.ids.flatMap((id) => forecasts.get(id) ?? []);
  const [first] = known;
  const odd = known.find(({ mean }) => mean.length !== first!.mean.length);
  if (odd) {
    const lengths = `'${odd.id}' has ${odd.mean.length} steps, '${first!.id}' has ${first!.mean.length}`;
    refuse(`forecast: ${lengths}`, 'forecast all series over the same horizon');
  }
  return structure.ids.map((id) => forecasts.get(id)?.mean ?? first!.mean.map(() => 0));
};

/** A forecast at its new place; its quantiles move along with the mean. */
const moved = (
  id: string,
  path: readonly number[],
  own: Forecast | undefined,
  like: Forecast,
): Forecast => {
  const { freq, start_timestamp } = own ?? like;
  const quantiles = Object.entries(own?.quantiles ?? {}).map(([level, values]) => [
    level,
    values.map((value, step) => value + path[step]! - own!.mean[step]!),
  ]);
  return {
    ...own,
    id,
    freq,
    start_timestamp,
    mean: [...path],
    quantiles: quantiles.length > 0 ? Object.fromEntries(quantiles) : null,
  };
};

/** Forecasts of the tree first, then those that are outside of it. */
export const reconcileForecasts = (
  all: readonly Forecast[],
  structure: Structure,
  choice: ReconcileChoice,
) => {
  const byId = new Map(all.map((forecast) => [forecast.id, forecast]));
  const base = basePaths(structure, byId, choice);
  const { paths, used, shrinkage, warnings } = reconcilePaths(structure, base, choice);
  const inside = new Set(structure.ids);
  const like = all.find(({ id }) => inside.has(id))!;
  const outside = all.filter(({ id }) => !inside.has(id));
  const left = `${outside.length} series outside of the hierarchy stay as they are`;
  return {
    forecasts: [
      ...structure.ids.map((id, i) => moved(id, paths[i]!, byId.get(id), like)),
      ...outside,
    ],
    reconciliation: { method: used, shrinkage, levels: structure.ids.length },
    warnings: [...warnings, ...(outside.length > 0 ? [left] : [])],
  };
};

/** Where parents are not the sum of their leaves, relative to their size; empty where all is well. */
export const violationsOf = (forecasts: readonly Forecast[], structure: Structure): string[] => {
  const byId = new Map(forecasts.map((forecast) => [forecast.id, forecast.mean]));
  return structure.ids.flatMap((id, i) => {
    const own = byId.get(id);
    const below = structure.below[i]!.map((leaf) => byId.get(structure.leaves[leaf]!));
    if (!own) return [`'${id}' has no forecast`];
    if (below.some((path) => path === undefined)) return [];
    const step = own.findIndex((value, t) => {
      const sum = below.reduce((total, path) => total + path![t]!, 0);
      return Math.abs(value - sum) > 1e-6 * Math.max(1, Math.abs(value), Math.abs(sum));
    });
    if (step < 0) return [];
    const sum = below.reduce((total, path) => total + path![step]!, 0);
    return [`'${id}' is ${own[step]} at step ${step + 1}, its leaves sum to ${sum}`];
  });
};

const withWarnings = (forecast: GivenForecast, more: readonly string[]): string[] | null => {
  const all = [...(forecast.warnings ?? []), ...more];
  return all.length > 0 ? all : null;
};

export const reconcileForecast = (request: ReconcileForecastRequest) => {
  const { forecast, hierarchy, check_only } = request;
  const structure = structureOf(hierarchy);
  if (check_only) {
    const violations = violationsOf(forecast.forecasts, structure);
    return { coherent: violations.length === 0, violations };
  }
  const { warnings, ...result } = reconcileForecasts(forecast.forecasts, structure, request);
  return { ...forecast, ...result, warnings: withWarnings(forecast, warnings) };
};
