/** How much one tool call may carry: its data go through a language model's host, its answers through the model. */
export const LIMITS = {
  /** Series of one call. */
  series: 500,
  /** Points of all series of one call together. */
  points: 100_000,
  /** Steps of all forecasts of one call together. */
  forecastSteps: 20_000,
  /** Points of history that all windows of one backtest read together. */
  backtestPoints: 2_000_000,
  /** Points of one request to the daemon. */
  requestPoints: 100_000,
  /** Forecasts that are kept as resources. */
  runs: 50,
  /** Series that a text answer names. */
  namedSeries: 5,
  messageBytes: 16 * 1024 * 1024,
} as const;
