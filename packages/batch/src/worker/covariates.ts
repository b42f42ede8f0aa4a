/** Covariates of a series as a forecast request has them: over its regular past, and step by step over the horizon. */
import { TollamaError } from '@tollama/core/errors';
import type { CovariateValues } from '@tollama/core/series';
import type {
  CovariateName,
  PanelBlock,
  PanelCovariate,
  PanelSeries,
} from '../block/panel-block.ts';
import { timeText } from '../block/time-text.ts';

export interface RequestCovariates {
  readonly past: Readonly<Record<string, CovariateValues>>;
  readonly future: Readonly<Record<string, CovariateValues>>;
  readonly statics: Readonly<Record<string, number | string>>;
}

export interface Steps {
  /** [length] regular times of the history. */
  readonly past: Float64Array;
  /** [horizon] */
  readonly future: Float64Array;
}

type Cell = number | string | null | undefined;

const isMissing = (cell: Cell): boolean =>
  cell === null || cell === undefined || Number.isNaN(cell);

interface Looking {
  readonly what: string;
  readonly kind: PanelBlock['kind'];
  readonly hint: string;
}

/** A value for each step, of the row that stands at it. */
const valuesAt = (
  steps: Float64Array,
  column: PanelCovariate,
  rows: { readonly placeOf: ReadonlyMap<number, number> } & Looking,
): CovariateValues => {
  const { placeOf, what, kind, hint } = rows;
  const cells = Array.from(steps, (time): Cell => column[placeOf.get(time) ?? -1]);
  const missing = cells.filter(isMissing).length;
  if (missing > 0) {
    const first = steps[cells.findIndex(isMissing)]!;
    throw new TollamaError(
      'INVALID_INPUT',
      `${what} has no value at ${timeText(first, kind)}; ${missing} of ${steps.length} steps miss one`,
      { hint },
    );
  }
  return cells as CovariateValues;
};

const PAST_HINT = 'fill its gaps, or leave it out';
const FUTURE_HINT = 'give it for each step of the horizon: in --future, or in rows without a value';

/**
 * @throws TollamaError INVALID_INPUT for a covariate without a value at some step
 */
export const requestCovariates = (
  { times, covariates }: PanelSeries,
  names: readonly CovariateName[],
  { steps, kind }: { readonly steps: Steps; readonly kind: PanelBlock['kind'] },
): RequestCovariates | undefined => {
  if (!covariates) return undefined;
  const { columns, futureTimes, statics } = covariates;
  const pastPlaces = new Map(Array.from(times, (time, row) => [time, row]));
  const futurePlaces = new Map(Array.from(futureTimes, (time, i) => [time, times.length + i]));
  const past: Record<string, CovariateValues> = {};
  const future: Record<string, CovariateValues> = {};
  names.forEach(({ name, isKnown }, k) => {
    const looking = { kind, what: `covariate '${name}'` };
    const before = { ...looking, placeOf: pastPlaces, hint: PAST_HINT };
    past[name] = valuesAt(steps.past, columns[k]!, before);
    if (!isKnown) return;
    const after = { ...looking, what: `future covariate '${name}'`, placeOf: futurePlaces };
    future[name] = valuesAt(steps.future, columns[k]!, { ...after, hint: FUTURE_HINT });
  });
  return { past, future, statics };
};
