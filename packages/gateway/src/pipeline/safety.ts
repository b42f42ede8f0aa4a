/** Makes the rows safe: probabilities, ascending with their level, neither too narrow nor too wide. */
import { clipToUnit, inverseLogit } from '../numbers/logit.ts';
import { fixCrossing } from '../safety/crossing.ts';
import { limitWidths } from '../safety/width-limits.ts';
import type { Answer } from './answer.ts';
import type { ForecastContext } from './context.ts';
import type { Stage } from './stage.ts';

/** A model answers in the space of the transform; a baseline in probabilities. */
export const invertTransform: Stage<ForecastContext, Answer> = (context, next) => {
  if (context.runtime === 'tollama') {
    const { usesLogit } = context.question;
    context.rows = context.rows.map((row) =>
      row.map((value) => clipToUnit(usesLogit ? inverseLogit(value) : value)),
    );
  }
  return next();
};

export const uncross: Stage<ForecastContext, Answer> = (context, next) => {
  const { rows, hasCrossed } = fixCrossing(context.rows);
  context.rows = rows;
  context.hasCrossed = hasCrossed;
  if (hasCrossed) context.warnings.push('quantile_crossing_fixed');
  return next();
};

/** The row of the median, or the one nearest to it. */
const middleRow = (levels: readonly number[]): number =>
  levels.reduce(
    (best, level, i) => (Math.abs(level - 0.5) < Math.abs(levels[best]! - 0.5) ? i : best),
    0,
  );

export const limitWidth: Stage<ForecastContext, Answer> = (context, next) => {
  const { min_width: min, max_width: max, rule, warnings } = context.settings.interval_sanity;
  const { levels } = context.question;
  if (levels.length < 2) return next();
  const limited = limitWidths(context.rows, middleRow(levels), { min, max, rule });
  context.rows = limited.rows;
  const told = warnings === 'once' ? new Set(limited.warnings) : limited.warnings;
  context.warnings.push(...told);
  return next();
};

const isValid = (rows: ForecastContext['rows']): boolean =>
  rows.every((row, i) =>
    row.every((value, step) => {
      const below = i === 0 ? 0 : rows[i - 1]![step]!;
      return value >= below && value <= 1;
    }),
  );

/** A last look at what goes out; counted, since the stages before should leave nothing to find. */
export const checkOutput: Stage<ForecastContext, Answer> = (context, next) => {
  context.isInvalid = !isValid(context.rows);
  return next();
};
