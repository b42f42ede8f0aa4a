/** What is answered when the model cannot be: the stale answer, a baseline, and at last a typed error. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import {
  BASELINE_METHODS,
  type BaselineMethod,
  type BaselineTask,
  baselineRows,
} from '../baseline/baseline.ts';
import { clipToUnit } from '../numbers/logit.ts';
import type { Answer } from './answer.ts';
import { askUpstream } from './ask.ts';
import { staleAnswer } from './cached.ts';
import type { ForecastContext } from './context.ts';
import type { Stage } from './stage.ts';

const methodsOf = ({ settings }: ForecastContext): readonly BaselineMethod[] => {
  const { baseline_method: first, try_others } = settings.fallback;
  const others = BASELINE_METHODS.filter((method) => method !== first);
  return try_others ? [first, ...others] : [first];
};

/** The original's last resort: a band of the minimal width around 0.5, or around its log odds of 0. */
const narrowBand = ({ question, settings }: ForecastContext): number[][] => {
  const { levels, usesLogit, request } = question;
  const centre = usesLogit ? 0 : 0.5;
  const half = settings.interval_sanity.min_width / 2;
  return levels.map((_, i) => {
    const side = levels.length > 1 ? (2 * i) / (levels.length - 1) - 1 : 0;
    return Array.from({ length: request.horizon_steps }, () => clipToUnit(centre + side * half));
  });
};

const baseline = (context: ForecastContext): readonly (readonly number[])[] => {
  const { question, settings, series, fallback } = context;
  const task: BaselineTask = {
    series,
    levels: question.levels,
    horizon: question.request.horizon_steps,
    usesLogit: question.usesLogit,
    eps: question.eps,
    shape: settings.fallback.horizon,
  };
  let failure: unknown;
  for (const method of methodsOf(context)) {
    try {
      return baselineRows(method, task);
    } catch (error) {
      failure = error;
    }
  }
  if (settings.fallback.when_all_fail === 'error') {
    throw new TollamaError(
      'FORECAST_UNAVAILABLE',
      `no model and no baseline can answer (${fallback?.reason}): ${errorMessage(failure)}`,
      { hint: 'check that y holds probabilities between 0 and 1', cause: failure },
    );
  }
  context.fallback = {
    reason: 'baseline_error:ValueError',
    code: fallback?.code ?? 'BASELINE_FALLBACK',
    isSettled: fallback?.isSettled ?? false,
  };
  return narrowBand(context);
};

const mayServeStale = ({ fallback, settings }: ForecastContext): boolean => {
  if (!fallback || fallback.isSettled) return false;
  const isUpstreamAsked = fallback.reason.startsWith('tollama_error');
  return isUpstreamAsked || settings.cache.while_open === 'stale';
};

/** Asks the model unless a gate is shut, and takes the next rung of the ladder when nothing comes of it. */
export const takeLadder: Stage<ForecastContext, Answer> = async (context, next) => {
  context.fallback ??= await askUpstream(context);
  if (!context.fallback) return next();
  if (context.stale && mayServeStale(context)) return staleAnswer(context, context.stale);
  context.runtime = 'baseline';
  context.rows = baseline(context);
  context.warnings.push(`fallback_reason=${context.fallback.reason}`);
  return next();
};
