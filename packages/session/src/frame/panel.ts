/** A validated frame, series by series: what every later step works on. */

export interface PanelSeries {
  readonly id: string;
  /** As they were given, ascending. */
  readonly timestamps: readonly string[];
  /** [length], NaN where missing; ends with the last observed value. */
  readonly target: Float64Array;
  /** Covariates over the history: [length] each, NaN where missing. */
  readonly past: Readonly<Record<string, readonly number[]>>;
  /** Covariates over rows after the last observed value. */
  readonly future: Readonly<Record<string, readonly number[]>>;
  readonly statics: Readonly<Record<string, unknown>>;
}

export interface Panel {
  /** Pandas alias. */
  readonly freq: string;
  /** Steps of a season, 1 without one. */
  readonly season: number;
  /** By id. */
  readonly series: readonly PanelSeries[];
}

export const observedCount = ({ target }: PanelSeries): number => {
  let count = 0;
  for (const value of target) if (!Number.isNaN(value)) count++;
  return count;
};

/** The first points up to an origin, with the covariates that were known. */
export const panelAt = (one: PanelSeries, origin: number, horizon: number): PanelSeries => {
  const known = Object.entries(one.past);
  return {
    ...one,
    timestamps: one.timestamps.slice(0, origin),
    target: one.target.subarray(0, origin),
    past: Object.fromEntries(known.map(([name, values]) => [name, values.slice(0, origin)])),
    future: Object.fromEntries(
      known
        .filter(([name]) => name in one.future)
        .map(([name, values]) => [name, values.slice(origin, origin + horizon)]),
    ),
  };
};
