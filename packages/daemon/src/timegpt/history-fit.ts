/**
 * A model's account of the history: each point forecast from what was before it, in blocks of a few steps, so
 * that a long series costs a bounded number of runs. The first points, which have no history, are left out.
 */

import type { ModelCalls } from '../columnar/model-calls.ts';
import { normalQuantile } from '../columnar/normal.ts';
import type { ContributionRequest } from './contributions.ts';
import { intervalsOf } from './intervals-of-levels.ts';
import type { Panel } from './panel.ts';
import type { ContributionKind } from './requests.ts';
import { robustSpread } from './residuals.ts';
import type { Window } from './span.ts';
import { forecastWindows, type WindowRows, type WindowsOptions } from './windows.ts';

/** Blocks of a series; longer ones take longer blocks, up to what the model gives in one pass. */
const BLOCKS = 24;
const LEAST_HISTORY = 8;

interface Block {
  readonly window: Window;
  /** Steps of the block that lie within the series. */
  readonly steps: number;
  /** Length of the forecasts of the series. */
  readonly horizon: number;
}

type Explain = (
  kind: ContributionKind,
  request: ContributionRequest,
) => Promise<readonly (readonly number[])[]>;

export interface HistoryFit {
  /** Fitted points of each series: its last ones. [S] */
  readonly sizes: readonly number[];
  /** Places in the panel's column. [fitted] */
  readonly places: readonly number[];
  readonly mean: readonly number[];
  intervals(levels: readonly number[]): Readonly<Record<string, number[]>> | null;
  contributions(kind: ContributionKind, explain: Explain): Promise<readonly (readonly number[])[]>;
}

/** How long blocks are depends on the one series alone, so that it does not matter with whom it is sent. */
const blocksOf = (panel: Panel, series: number, season: number, longest: number): Block[] => {
  const size = panel.sizes[series]!;
  const offset = panel.offsets[series]!;
  const observed = panel.values
    .subarray(offset, offset + size)
    .findIndex((value) => !Number.isNaN(value));
  if (observed < 0) return [];
  const history = Math.max(1, Math.min(Math.max(2 * season, LEAST_HISTORY), Math.floor(size / 2)));
  const first = Math.max(observed + 1, history);
  const horizon = Math.max(1, Math.min(longest, Math.ceil((size - first) / BLOCKS)));
  const blocks: Block[] = [];
  for (let origin = first; origin < size; origin += horizon) {
    const window = { series, origin, round: blocks.length };
    blocks.push({ window, steps: Math.min(horizon, size - origin), horizon });
  }
  return blocks;
};

interface Group {
  readonly blocks: readonly Block[];
  readonly rows: readonly WindowRows[];
  readonly options: WindowsOptions;
}

/** Blocks of one length at a time; gives back which group and which place in it each block has. */
const runGroups = async (
  panel: Panel,
  blocks: readonly Block[],
  calls: ModelCalls,
  optionsFor: (horizon: number) => WindowsOptions,
): Promise<Group[]> => {
  const groups: Group[] = [];
  for (const [horizon, own] of Map.groupBy(blocks, (block) => block.horizon)) {
    // Early blocks have next to no history to calibrate by: the errors of the whole fit do for all.
    const options = { ...optionsFor(horizon), isCalibrated: false };
    const windows = own.map(({ window }) => window);
    const rows = await forecastWindows(panel, windows, calls, options);
    groups.push({ blocks: own, rows, options });
  }
  return groups;
};

/**
 * The same rows with quantiles of a normal distribution as wide as the errors of the series' whole fit, in a way
 * that the anomalies among them do not widen it.
 */
const byOwnErrors = (
  panel: Panel,
  blocks: readonly Block[],
  rows: readonly WindowRows[],
  levels: readonly number[],
): WindowRows[] => {
  const errors = blocks.flatMap(({ window, steps }, i) => {
    const from = panel.offsets[window.series]! + window.origin;
    const { mean } = rows[i]!;
    return Array.from({ length: steps }, (_, k) => panel.values[from + k]! - mean[k]!);
  });
  const observed = Float64Array.from(errors.filter((error) => !Number.isNaN(error)));
  const { center, deviation } = robustSpread(observed, rows[0]!.mean[0]!);
  return rows.map((row) => ({
    ...row,
    quantiles: levels.map((level) =>
      row.mean.map((value) => value + center + normalQuantile(level) * deviation),
    ),
  }));
};

export const fitHistory = async (
  panel: Panel,
  calls: ModelCalls,
  season: number,
  optionsFor: (horizon: number) => WindowsOptions,
): Promise<HistoryFit> => {
  const longest = calls.profile.capabilities.nativeHorizon ?? Number.POSITIVE_INFINITY;
  const bySeries = panel.sizes.map((_, series) => blocksOf(panel, series, season, longest));
  const blocks = bySeries.flat();
  const groups = await runGroups(panel, blocks, calls, optionsFor);
  const rowOf = new Map<Block, WindowRows>(
    groups.flatMap(({ blocks: own, rows }) => own.map((block, i) => [block, rows[i]!] as const)),
  );
  const { levels: asked = [] } = groups[0]?.options ?? {};
  const ordered = bySeries.flatMap((own) => {
    const rows = own.map((block) => rowOf.get(block)!);
    const isPoint = asked.length > 0 && rows.some(({ quantiles }) => quantiles.length === 0);
    return isPoint ? byOwnErrors(panel, own, rows, asked) : rows;
  });
  const cut = (row: readonly number[], i: number) => row.slice(0, blocks[i]!.steps);
  return {
    sizes: bySeries.map((own) => own.reduce((sum, { steps }) => sum + steps, 0)),
    places: blocks.flatMap(({ window, steps }) =>
      Array.from({ length: steps }, (_, k) => panel.offsets[window.series]! + window.origin + k),
    ),
    mean: ordered.flatMap(({ mean }, i) => cut(mean, i)),
    intervals: (levels) => intervalsOf(levels, ordered, cut),
    contributions: async (kind, explain) => {
      const parts = new Map<Block, readonly (readonly number[])[]>();
      for (const { blocks: own, rows, options } of groups) {
        const windows = own.map(({ window }) => window);
        const columns = await explain(kind, { panel, windows, calls, options, rows });
        own.forEach((block, i) => {
          const from = i * options.horizon;
          parts.set(
            block,
            columns.map((column) => column.slice(from, from + block.steps)),
          );
        });
      }
      return Array.from({ length: panel.rows.length + 1 }, (_, row) =>
        blocks.flatMap((block) => parts.get(block)![row]!),
      );
    },
  };
};
