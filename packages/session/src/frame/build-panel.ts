/** From validated rows to a panel: frequency, history without future rows, covariates by role. */
import { formatFrequency, inferFrequency } from '@tollama/core/frequency';
import { TSAgentKitError } from '../errors/session-error.ts';
import { sessionSeason } from '../task/season-length.ts';
import type { TaskSpec } from '../task/task-spec.ts';
import { type CovariateRoles, historyLength } from './covariates.ts';
import type { LongFrame } from './frame.ts';
import type { Panel, PanelSeries } from './panel.ts';
import type { SeriesRows } from './validate.ts';

/**
 * The frequency of a spec, or of the longest series.
 *
 * @throws TSAgentKitError E_FREQ_INFER_FAIL
 */
export const resolveFrequency = (groups: readonly SeriesRows[], spec: TaskSpec): string => {
  if (spec.freq !== null) return spec.freq;
  const hint = { fixHint: 'give freq in the task spec, such as D, H or MS' };
  if (!spec.infer_freq) {
    throw new TSAgentKitError('E_FREQ_INFER_FAIL', 'freq is not given and infer_freq is off', hint);
  }
  const longest = groups.reduce((a, b) => (b.rows.length > a.rows.length ? b : a));
  try {
    return formatFrequency(inferFrequency(longest.timestamps).frequency);
  } catch (cause) {
    throw new TSAgentKitError('E_FREQ_INFER_FAIL', 'the timestamps have no common step', {
      ...hint,
      context: { unique_id: longest.id },
      cause,
    });
  }
};

const numberOf = (value: unknown): number => (typeof value === 'number' ? value : Number.NaN);

const seriesOf = (
  group: SeriesRows,
  frame: LongFrame,
  { statics, past, futureKnown }: CovariateRoles,
  h: number,
): PanelSeries => {
  const length = historyLength(group);
  const column = (name: string): number[] =>
    group.rows.map((row) => numberOf(frame.columns.get(name)?.[row]));
  const columns = [...past, ...futureKnown].map((name) => [name, column(name)] as const);
  return {
    id: group.id,
    timestamps: group.timestamps.slice(0, length),
    target: Float64Array.from(group.values.slice(0, length)),
    past: Object.fromEntries(columns.map(([name, values]) => [name, values.slice(0, length)])),
    future: Object.fromEntries(
      columns
        .filter(([name]) => futureKnown.includes(name))
        .map(([name, values]) => [name, values.slice(length, length + h)]),
    ),
    statics: Object.fromEntries(
      statics.map((name) => [name, frame.columns.get(name)?.[group.rows[0]!]]),
    ),
  };
};

export interface BuildOptions {
  readonly frame: LongFrame;
  readonly groups: readonly SeriesRows[];
  readonly roles: CovariateRoles;
  readonly freq: string;
  readonly h: number;
}

/** @throws TSAgentKitError E_CONTRACT_INVALID for a series without a single value */
export const buildPanel = ({ frame, groups, roles, freq, h }: BuildOptions): Panel => {
  const empty = groups.find((group) => historyLength(group) === 0);
  if (empty) {
    throw new TSAgentKitError('E_CONTRACT_INVALID', `series '${empty.id}' has no value at all`, {
      context: { unique_id: empty.id },
      fixHint: 'leave the series out',
    });
  }
  return {
    freq,
    season: sessionSeason(freq),
    series: groups.map((group) => seriesOf(group, frame, roles, h)),
  };
};

/** Rows after the last observed value, over all series. */
export const futureRowCount = (groups: readonly SeriesRows[]): number =>
  groups.reduce((sum, group) => sum + group.rows.length - historyLength(group), 0);
