/** Forecasts for every series of a panel: whatever fails, no series is left without one, and none gets zeros. */
import type { SeriesForecast } from '../backend/backend.ts';
import { TSAgentKitError } from '../errors/session-error.ts';
import type { Panel } from '../frame/panel.ts';
import {
  type Asked,
  type CandidateContext,
  fitCandidate,
  type ModelArtifact,
  predictCandidate,
} from './candidates.ts';
import { descend, isFallback, type OnFallback } from './ladder.ts';

export interface ModelForecast {
  readonly model: string;
  readonly forecast: SeriesForecast;
}

export interface PanelForecast {
  readonly byId: ReadonlyMap<string, ModelForecast>;
  /** Whether a model other than the fitted one had to be asked. */
  readonly usedFallback: boolean;
}

export interface PanelRequest {
  readonly panel: Panel;
  readonly asked: Asked;
  readonly context: CandidateContext;
  /** The ladder, its first rung fitted. */
  readonly candidates: readonly string[];
  /** Rungs above, which could not be fitted: for the record. */
  readonly attempted?: readonly string[];
  readonly onFallback: OnFallback;
}

/** Fits the first candidate that can be. */
export const fitPanel = async ({
  panel,
  asked,
  context,
  candidates,
  onFallback,
}: PanelRequest): Promise<ModelArtifact> =>
  (await descend(candidates, (model) => fitCandidate(model, panel, asked, context), onFallback))
    .result;

/**
 * Asks the fitted model, and for series that it has nothing for the next ones.
 *
 * @throws TSAgentKitError E_FALLBACK_EXHAUSTED when a series is left that no candidate can forecast
 */
export const predictPanel = async (request: PanelRequest): Promise<PanelForecast> => {
  const { panel, asked, context, candidates, onFallback, attempted = [] } = request;
  const byId = new Map<string, ModelForecast>();
  let left = panel.series;
  let last: TSAgentKitError | undefined;
  for (const [i, model] of candidates.entries()) {
    const part = { ...panel, series: left };
    const next = candidates[i + 1] ?? null;
    try {
      // The first was fitted before; one that has to help is fitted now.
      if (i > 0) await fitCandidate(model, part, asked, context);
      const { forecasts, missing } = await predictCandidate(model, part, asked, context);
      for (const [id, forecast] of forecasts) byId.set(id, { model, forecast });
      if (missing.length === 0) return { byId, usedFallback: i > 0 };
      left = left.filter(({ id }) => missing.includes(id));
      last = new TSAgentKitError(
        'E_MODEL_PREDICT_FAIL',
        `no finite forecast for ${missing.length} series`,
        {
          context: { model, series: missing.slice(0, 20) },
        },
      );
      onFallback({
        from: model,
        to: next,
        error_code: last.code,
        error: last.reason,
        series: missing,
      });
    } catch (error) {
      if (!isFallback(error)) throw error;
      last = error;
      onFallback({ from: model, to: next, error_code: error.code, error: error.reason });
    }
  }
  throw new TSAgentKitError('E_FALLBACK_EXHAUSTED', `${left.length} series have no forecast`, {
    context: {
      models_attempted: [...attempted, ...candidates],
      last_error: last?.toAgentDict() ?? null,
    },
    fixHint: 'see last_error; allow baselines with tsfm_policy.mode preferred',
    ...(last && { cause: last }),
  });
};

/** The ladder of a series whose model was chosen: that one, then the others in their order. */
const ladderFrom = (chosen: string, candidates: readonly string[]): string[] => [
  chosen,
  ...candidates.filter((model) => model !== chosen),
];

/** The panel's parts by the model that was chosen for their series. */
export const partsByModel = (
  panel: Panel,
  chosen: ReadonlyMap<string, string>,
  candidates: readonly string[],
): { readonly part: Panel; readonly candidates: readonly string[] }[] =>
  [...Map.groupBy(panel.series, ({ id }) => chosen.get(id) ?? candidates[0]!)].map(
    ([model, series]) => ({
      part: { ...panel, series },
      candidates: ladderFrom(model, candidates),
    }),
  );
