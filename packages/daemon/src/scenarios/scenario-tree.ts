/**
 * Paths that branch: at each step the model forecasts one step from every path so far, and each path goes on at
 * the asked quantiles. A branch weighs what lies nearer to its quantile than to its neighbours'.
 */
import type { ForecastRequest } from '@tollama/core/forecast-request';
import { type Forecast, quantileKey } from '@tollama/core/forecast-response';
import { asForecastRequest, type ScenarioTreeRequest } from '@tollama/core/forecast-variants';
import type { Series } from '@tollama/core/series';
import { observedTarget } from '../analysis/observed.ts';
import { type Caller, type ForecastParts, serveForecast } from '../forecast/serve-forecast.ts';

export interface TreeNode {
  readonly node_id: string;
  readonly parent_id: string | null;
  readonly series_id: string;
  readonly depth: number;
  readonly step: number;
  readonly branch: string;
  readonly quantile: number | null;
  readonly value: number | null;
  /** Of the path from the root to here. */
  readonly probability: number;
}

/** A path that can go on. */
interface Path {
  readonly node: TreeNode;
  readonly series: Series;
}

const MOST_NODES = 5000;

/** Shares of probability that lie nearest to each level; they sum to 1. */
export const branchWeights = (levels: readonly number[]): number[] => {
  const bounds = levels.slice(1).map((level, i) => (level + levels[i]!) / 2);
  return levels.map((_, i) => (bounds[i] ?? 1) - (bounds[i - 1] ?? 0));
};

/** The quantile at a level, or the mean where the model gives none. */
const valueAt = ({ quantiles, mean }: Forecast, level: number): number =>
  quantiles?.[quantileKey(level)]?.[0] ?? mean[0]!;

const bare = (series: Series): Series => ({
  ...series,
  past_covariates: null,
  future_covariates: null,
  static_covariates: null,
  actuals: null,
});

const withValue = (series: Series, { start_timestamp, freq }: Forecast, value: number): Series => ({
  ...series,
  freq,
  timestamps: [...series.timestamps, start_timestamp],
  target: [...series.target, value],
});

const rootOf = (series: Series, i: number): Path => {
  const last = observedTarget(series).findLast((value) => !Number.isNaN(value));
  return {
    series: bare(series),
    node: {
      node_id: `node_${i + 1}`,
      parent_id: null,
      series_id: series.id,
      depth: 0,
      step: 0,
      branch: 'root',
      quantile: null,
      value: last ?? null,
      probability: 1,
    },
  };
};

/** All paths one step on, by one call of the model. */
const grow = async (
  paths: readonly Path[],
  request: ScenarioTreeRequest,
  parts: ForecastParts,
  caller: Caller,
  firstId: number,
) => {
  const { model, branch_quantiles: levels } = request;
  const weights = branchWeights(levels);
  const oneStep: ForecastRequest = {
    ...asForecastRequest(model, request),
    horizon: 1,
    quantiles: [...levels],
    series: paths.map(({ node, series }) => ({ ...series, id: node.node_id })),
    parameters: { ...request.parameters, metrics: null },
    response_options: { narrative: false, explain: false },
  };
  const { forecasts, warnings } = await serveForecast(parts, oneStep, caller);
  const next = paths.flatMap(({ node, series }, i) =>
    levels.map((level, k): Path => {
      const forecast = forecasts[i]!;
      const value = valueAt(forecast, level);
      return {
        series: withValue(series, forecast, value),
        node: {
          node_id: `node_${firstId + i * levels.length + k}`,
          parent_id: node.node_id,
          series_id: node.series_id,
          depth: node.depth + 1,
          step: node.depth + 1,
          branch: `q${quantileKey(level)}`,
          quantile: level,
          value,
          probability: node.probability * weights[k]!,
        },
      };
    }),
  );
  return { next, warnings: warnings ?? [] };
};

const hasCovariates = ({ past_covariates, static_covariates }: Series): boolean =>
  Object.keys({ ...past_covariates, ...static_covariates }).length > 0;

/** Whole levels only: where the next one would pass the limit of nodes, the tree ends before it. */
export const scenarioTree = async (
  request: ScenarioTreeRequest,
  parts: ForecastParts,
  caller: Caller,
) => {
  const { model, series, depth, branch_quantiles } = request;
  const warnings = new Set(
    series
      .filter(hasCovariates)
      .map(
        ({ id }) => `series '${id}': covariates are left out, they are not known along the paths`,
      ),
  );
  let paths = series.map(rootOf);
  const nodes = paths.map(({ node }) => node);
  let reached = 0;
  while (reached < depth) {
    if (nodes.length + paths.length * branch_quantiles.length > MOST_NODES && reached > 0) {
      warnings.add(
        `the tree ends at depth ${reached} of ${depth}: it would have more than ${MOST_NODES} nodes`,
      );
      break;
    }
    const grown = await grow(paths, request, parts, caller, nodes.length + 1);
    for (const warning of grown.warnings) warnings.add(warning);
    paths = grown.next;
    nodes.push(...paths.map(({ node }) => node));
    reached++;
  }
  return {
    model,
    depth: reached,
    branch_quantiles,
    nodes,
    warnings: warnings.size > 0 ? [...warnings] : null,
  };
};
