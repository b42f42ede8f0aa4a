import { TollamaError } from '@tollama/core/errors';
import type { AutoForecastRequest } from '@tollama/core/forecast-variants';
import type { DaemonContext } from '../context.ts';
import { candidatesFor, findNamed, type Tried } from './choice.ts';
import { demandOf, rank } from './rank.ts';

/** Stages of a progressive forecast: a quick model first, a better one after it. */
export interface Stage {
  readonly stage: number;
  readonly strategy: 'explicit' | 'fastest' | 'best_accuracy';
  readonly model: string;
  readonly family: string;
}

/** @throws TollamaError MODEL_NOT_FOUND as autoForecast does */
export const progressiveStages = async (
  request: AutoForecastRequest,
  context: DaemonContext,
): Promise<{ stages: readonly Stage[]; warnings: readonly string[] }> => {
  const tried: Tried = { blocked: new Set(), rationale: [] };
  if (request.model) {
    const { model } = request;
    const found = await findNamed(model, context);
    if (found) {
      const { family } = found;
      return { stages: [{ stage: 1, strategy: 'explicit', model, family }], warnings: [] };
    }
    if (!request.allow_fallback) await context.store.get(model);
    tried.rationale.push(`model '${model}' is not installed; others are chosen`);
  }
  const candidates = await candidatesFor(request, context, tried);
  const demand = demandOf(request.series, request.horizon);
  const [fast] = rank(candidates, demand, 'fastest').ranked;
  const [best] = rank(candidates, demand, 'best_accuracy').ranked;
  if (!fast || !best) {
    throw new TollamaError('MODEL_NOT_FOUND', 'no installed model can make this forecast', {
      hint: 'install another model, or set allow_fallback',
    });
  }
  const chosen = [{ strategy: 'fastest' as const, ...fast }];
  const both =
    fast.model === best.model
      ? chosen
      : [...chosen, { strategy: 'best_accuracy' as const, ...best }];
  return {
    stages: both.map(({ strategy, model, family }, i) => ({
      stage: i + 1,
      strategy,
      model,
      family,
    })),
    warnings: tried.rationale,
  };
};
