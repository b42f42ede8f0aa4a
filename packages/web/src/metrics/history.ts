/** The metrics of the last minutes, and what is drawn of them. */
import { parseExposition, type Sample, sumOf } from '@tollama/client/exposition';
import { type Histogram, histogramOf, quantileOf, since } from '@tollama/client/histogram';

/** One reading of `/metrics`. */
export interface Reading {
  readonly atMs: number;
  readonly requests: number;
  readonly failures: number;
  readonly latency: Histogram;
  readonly inFlight: number;
  readonly modelsLoaded: number;
  /** Of the daemon's process. */
  readonly daemonBytes: number;
  /** The largest memory of each runner process, summed. */
  readonly runnerBytes: number;
  readonly samples: readonly Sample[];
}

const REQUESTS = 'tollama_forecast_requests_total';

export const readMetrics = (text: string, atMs: number): Reading => {
  const samples = parseExposition(text);
  return {
    atMs,
    requests: sumOf(samples, REQUESTS),
    failures: sumOf(samples, REQUESTS, ({ status_class }) => status_class !== '2xx'),
    latency: histogramOf(samples, 'tollama_forecast_latency_seconds'),
    inFlight: sumOf(samples, 'tollama_runner_calls_in_flight'),
    modelsLoaded: sumOf(samples, 'tollama_models_loaded'),
    daemonBytes: sumOf(samples, 'process_resident_memory_bytes'),
    runnerBytes: sumOf(samples, 'tollama_runner_peak_memory_mb') * 1e6,
    samples,
  };
};

/** What happened around one reading. */
export interface Point {
  readonly atMs: number;
  /** Requests a second. */
  readonly rate: number;
  /** Requests a second that did not end well. */
  readonly failureRate: number;
  /** Seconds; undefined when nothing was asked. */
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly inFlight: number;
  readonly modelsLoaded: number;
  readonly bytes: number;
}

/** Rates and latencies are told over this time: one request should not jump. */
const WINDOW_MS = 30_000;

/** A counter that went back began anew. */
const growth = (now: number, before: number): number => (now >= before ? now - before : now);

/** What each reading but the first says, by what was read up to half a minute before it. */
export const pointsOf = (readings: readonly Reading[]): Point[] =>
  readings.slice(1).map((now, i) => {
    const before = readings.find(({ atMs }) => now.atMs - atMs <= WINDOW_MS) ?? readings[i]!;
    const seconds = Math.max(0.001, (now.atMs - before.atMs) / 1000);
    const latency = since(now.latency, before.latency);
    return {
      atMs: now.atMs,
      rate: growth(now.requests, before.requests) / seconds,
      failureRate: growth(now.failures, before.failures) / seconds,
      p50: quantileOf(latency, 0.5),
      p95: quantileOf(latency, 0.95),
      inFlight: now.inFlight,
      modelsLoaded: now.modelsLoaded,
      bytes: now.daemonBytes + now.runnerBytes,
    };
  });

/** Readings that are kept: five minutes of one every two seconds. */
const KEPT = 150;

export const remember = (readings: readonly Reading[], reading: Reading): Reading[] => [
  ...readings.slice(1 - KEPT),
  reading,
];

/** Totals of one label, such as a family or an endpoint, since the daemon began. */
export interface Breakdown {
  readonly name: string;
  readonly count: number;
  readonly p50: number | undefined;
  readonly p95: number | undefined;
  readonly mean: number | undefined;
  /** The first bound of the buckets: shorter times are not told apart. */
  readonly floor: number;
}

export const breakdown = (
  { samples }: Reading,
  metric: string,
  label: string,
): readonly Breakdown[] => {
  const names = new Set(
    samples.flatMap(({ name, labels }) =>
      name === `${metric}_count` ? (labels[label] ?? []) : [],
    ),
  );
  return [...names].toSorted().map((name) => {
    const histogram = histogramOf(samples, metric, (labels) => labels[label] === name);
    const { count, sum } = histogram;
    return {
      name,
      count,
      p50: quantileOf(histogram, 0.5),
      p95: quantileOf(histogram, 0.95),
      mean: count > 0 ? sum / count : undefined,
      floor: histogram.bounds[0] ?? 0,
    };
  });
};
