/** Documented limits of one request (docs/limits.md); past them a request is refused by name. */
export const LIMITS = {
  /** Steps of the longest horizon that is accepted. */
  horizon: 100_000,
  /** Series of one request. */
  series: 100_000,
  /** Points of history of one series. */
  points: 5_000_000,
  /** Bytes of a table that the daemon reads, unpacked. */
  tableBytes: 512 * 1024 * 1024,
  quantiles: 999,
  idLength: 1024,
  /** Default of TOLLAMA_MAX_REQUEST_BODY_MB. */
  bodyMegabytes: 10,
  /** Bytes of a decoded body of the TimeGPT API and the Open Inference Protocol: whole panels in columns. */
  panelBodyBytes: 200 * 1024 * 1024,
} as const;
