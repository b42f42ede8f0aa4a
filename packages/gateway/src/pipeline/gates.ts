/** Requests that no model is asked for; each gate overrules the one before. */
import { TollamaError } from '@tollama/core/errors';
import type { Answer } from './answer.ts';
import type { Fallback, ForecastContext } from './context.ts';
import type { Stage } from './stage.ts';

const settled = (reason: string, code: Fallback['code'] = 'BASELINE_FALLBACK'): Fallback => ({
  reason,
  code,
  isSettled: true,
});

const gateOf = ({ question, settings }: ForecastContext): Fallback | undefined => {
  const { request, gapMinutes, gapLimitMinutes } = question;
  const { missing, fallback } = settings;
  if (gapMinutes > Math.min(missing.max_gap_minutes, gapLimitMinutes ?? Number.POSITIVE_INFINITY)) {
    return settled('max_gap_exceeded');
  }
  const bucket = request.liquidity_bucket?.toLowerCase();
  if (bucket === fallback.baseline_only_liquidity_bucket.toLowerCase()) {
    return settled('baseline_only_liquidity_bucket', 'INPUT_LOW_LIQUIDITY_BASELINE_ONLY');
  }
  return request.y.length < missing.min_points_for_tsfm
    ? settled('too_few_points', 'INPUT_INSUFFICIENT_HISTORY')
    : undefined;
};

/** Too short a history, too little liquidity, too long a gap. */
export const checkGates: Stage<ForecastContext, Answer> = (context, next) => {
  const gate = gateOf(context);
  if (gate) {
    context.fallback = gate;
    context.routeSelected = 'baseline';
    context.routeReason = gate.reason;
  }
  return next();
};

/** The route that the policy has for the request's segment. */
export const followRoute: Stage<ForecastContext, Answer> = (context, next) => {
  if (context.route.selected === 'baseline') context.fallback = settled('route_policy_baseline');
  return next();
};

/** Licence and registry, by the environment. */
export const checkModel: Stage<ForecastContext, Answer> = async (context, next) => {
  const { parts, model, environment, settings } = context;
  if (!settings.registry.enforce) return next();
  const permission = parts.registry().check(model.name, environment);
  if (!permission.isAllowed && settings.registry.on_violation === 'refuse') {
    throw new TollamaError(
      'MODEL_UNSUPPORTED',
      `model '${model.name}' is not allowed here: ${permission.refusal}`,
      { hint: `ask for a model that environment '${environment}' allows` },
    );
  }
  if (permission.isAllowed) {
    context.model = { name: permission.model, version: permission.version ?? model.version };
  } else {
    context.fallback = settled(permission.refusal, 'MODEL_NOT_ALLOWED');
    context.routeSelected = 'baseline';
    context.routeReason = permission.refusal;
  }
  return next();
};
