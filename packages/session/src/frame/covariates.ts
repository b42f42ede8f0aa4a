/** Which columns go along with the target: known over the horizon, known so far, or the same throughout. */
import type { ErrorContext, SessionErrorCode } from '../errors/session-error.ts';
import type { TaskSpec } from '../task/task-spec.ts';
import type { LongFrame } from './frame.ts';
import type { SeriesRows } from './validate.ts';

export interface CovariateRoles {
  readonly statics: readonly string[];
  readonly past: readonly string[];
  readonly futureKnown: readonly string[];
}

export interface CovariateProblem {
  readonly code: SessionErrorCode;
  readonly message: string;
  readonly context: ErrorContext;
}

export interface AlignedCovariates {
  readonly roles: CovariateRoles;
  /** Columns that cannot play their role; they are left out. */
  readonly problems: readonly CovariateProblem[];
}

/** Rows up to the last observed value; the others are the future. */
export const historyLength = ({ values }: SeriesRows): number =>
  values.findLastIndex((value) => !Number.isNaN(value)) + 1;

const isNumeric = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value);

const cells = (frame: LongFrame, name: string, { rows }: SeriesRows): unknown[] =>
  rows.map((row) => frame.columns.get(name)?.[row]);

const knownAhead = (frame: LongFrame, name: string, group: SeriesRows, h: number): number =>
  cells(frame, name, group)
    .slice(historyLength(group), historyLength(group) + h)
    .filter(isNumeric).length;

const others = (frame: LongFrame, { panel }: TaskSpec): string[] =>
  frame.names.filter((name) => ![panel.unique_id, panel.ds, panel.y].includes(name));

const isNumericColumn = (frame: LongFrame, name: string): boolean => {
  const values = frame.columns.get(name) ?? [];
  const present = values.filter((value) => value !== null && value !== undefined);
  return present.length > 0 && present.every((value) => typeof value === 'number');
};

const rolesOf = (
  frame: LongFrame,
  groups: readonly SeriesRows[],
  spec: TaskSpec,
): CovariateRoles => {
  const numeric = others(frame, spec).filter((name) => isNumericColumn(frame, name));
  switch (spec.covariate_policy) {
    case 'ignore':
      return { statics: [], past: [], futureKnown: [] };
    case 'known':
      return { statics: [], past: [], futureKnown: numeric };
    case 'observed':
      return { statics: [], past: numeric, futureKnown: [] };
    case 'spec':
      return {
        statics: spec.covariates.static,
        past: spec.covariates.past,
        futureKnown: spec.covariates.future_known,
      };
    case 'auto': {
      const isKnown = (name: string): boolean =>
        groups.every((group) => knownAhead(frame, name, group, spec.h) === spec.h);
      return {
        statics: [],
        past: numeric.filter((name) => !isKnown(name)),
        futureKnown: numeric.filter(isKnown),
      };
    }
  }
};

const problemOf = (
  frame: LongFrame,
  groups: readonly SeriesRows[],
  { h }: TaskSpec,
  [role, name]: readonly [keyof CovariateRoles, string],
): CovariateProblem | undefined => {
  const context = { column: name };
  if (!frame.columns.has(name)) {
    return { code: 'E_COVARIATE_STATIC_INVALID', message: `there is no column '${name}'`, context };
  }
  for (const group of groups) {
    const where = { ...context, unique_id: group.id };
    if (role === 'futureKnown') {
      const known = knownAhead(frame, name, group, h);
      if (known === h) continue;
      const message = `'${name}' is known for ${known} of ${h} steps ahead`;
      return { code: 'E_COVARIATE_INCOMPLETE_KNOWN', message, context: { ...where, known, h } };
    }
    if (role === 'past' && knownAhead(frame, name, group, h) > 0) {
      const message = `'${name}' is only observed, but has values after the last of the target`;
      return { code: 'E_COVARIATE_LEAKAGE', message, context: where };
    }
    if (role === 'statics' && new Set(cells(frame, name, group)).size > 1) {
      const message = `'${name}' is static, but changes within a series`;
      return { code: 'E_COVARIATE_STATIC_INVALID', message, context: where };
    }
  }
  return undefined;
};

/** Gives each column its role; a column that cannot play it is reported and left out. */
export const alignCovariates = (
  frame: LongFrame,
  groups: readonly SeriesRows[],
  spec: TaskSpec,
): AlignedCovariates => {
  const wanted = rolesOf(frame, groups, spec);
  const problems: CovariateProblem[] = [];
  const keep = (role: keyof CovariateRoles): string[] =>
    wanted[role].filter((name) => {
      // In `auto`, a column with some values ahead is simply one that is observed.
      if (spec.covariate_policy === 'auto') return true;
      const problem = problemOf(frame, groups, spec, [role, name]);
      if (problem) problems.push(problem);
      return !problem;
    });
  const roles = { statics: keep('statics'), past: keep('past'), futureKnown: keep('futureKnown') };
  return { roles, problems };
};
