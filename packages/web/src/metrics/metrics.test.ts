import { fc, test as property } from '@fast-check/vitest';
import { parseExposition, sumOf } from '@tollama/client/exposition';
import { histogramOf, quantileOf, since } from '@tollama/client/histogram';
import { describe, expect, test } from 'vitest';
import { breakdown, pointsOf, readMetrics, remember } from './history.ts';

const text = (fast: number, slow: number, failed = 0): string => `
# HELP tollama_forecast_requests_total Forecast requests
# TYPE tollama_forecast_requests_total counter
tollama_forecast_requests_total{endpoint="v1_forecast",status_class="2xx"} ${fast + slow}
tollama_forecast_requests_total{endpoint="v1_forecast",status_class="4xx"} ${failed}
tollama_forecast_latency_seconds_bucket{le="0.01",endpoint="v1_forecast",status_class="2xx"} ${fast}
tollama_forecast_latency_seconds_bucket{le="0.1",endpoint="v1_forecast",status_class="2xx"} ${fast + slow}
tollama_forecast_latency_seconds_bucket{le="+Inf",endpoint="v1_forecast",status_class="2xx"} ${fast + slow}
tollama_forecast_latency_seconds_sum{endpoint="v1_forecast",status_class="2xx"} ${fast * 0.005 + slow * 0.05}
tollama_forecast_latency_seconds_count{endpoint="v1_forecast",status_class="2xx"} ${fast + slow}
tollama_models_loaded 2
process_resident_memory_bytes 9.5e7
tollama_runner_peak_memory_mb{family="mock",runner="tollama-mock"} 5
`;

describe('parseExposition', () => {
  test('names, labels and values', () => {
    expect(parseExposition('# HELP a b\na 1\nb{x="1",y="a\\"b\\n"} +Inf 123\n\n')).toEqual([
      { name: 'a', labels: {}, value: 1 },
      { name: 'b', labels: { x: '1', y: 'a"b\n' }, value: Number.POSITIVE_INFINITY },
    ]);
  });

  test('sums', () => {
    const samples = parseExposition('a{x="1"} 2\na{x="2"} 3\nab 9');
    expect(sumOf(samples, 'a')).toBe(5);
    expect(sumOf(samples, 'a', ({ x }) => x === '2')).toBe(3);
  });
});

describe('quantiles of histograms', () => {
  const histogram = histogramOf(parseExposition(text(90, 10)), 'tollama_forecast_latency_seconds');

  test('are interpolated within their bucket', () => {
    expect(quantileOf(histogram, 0.45)).toBeCloseTo(0.005);
    expect(quantileOf(histogram, 0.95)).toBeCloseTo(0.055);
  });

  test('nothing observed, or beyond the last bound', () => {
    expect(quantileOf({ bounds: [1], counts: [0], sum: 0, count: 0 }, 0.5)).toBeUndefined();
    const beyond = { bounds: [1, Number.POSITIVE_INFINITY], counts: [0, 4], sum: 9, count: 4 };
    expect(quantileOf(beyond, 0.5)).toBe(1);
  });

  property.prop([fc.array(fc.nat(50), { minLength: 1, maxLength: 8 })])('never fall', (parts) => {
    let total = 0;
    const counts = parts.map((part) => {
      total += part;
      return total;
    });
    const bounds = counts.map((_, i) => i + 1);
    const levels = [0.1, 0.5, 0.9, 0.99];
    const found = levels.map((level) =>
      quantileOf({ bounds, counts, sum: 0, count: total }, level),
    );
    for (let i = 1; i < found.length; i++) {
      if (total > 0) expect(found[i]!).toBeGreaterThanOrEqual(found[i - 1]!);
    }
  });

  test('since', () => {
    const [before, now] = [text(90, 10), text(95, 20)].map((one) =>
      histogramOf(parseExposition(one), 'tollama_forecast_latency_seconds'),
    );
    expect(since(now!, before!)).toMatchObject({ counts: [5, 15, 15], count: 15 });
    expect(since(before!, now!)).toBe(before);
  });
});

describe('history', () => {
  test('rates over the window, errors by themselves', () => {
    const points = pointsOf([
      readMetrics(text(0, 0), 0),
      readMetrics(text(10, 0), 2000),
      readMetrics(text(20, 0, 4), 4000),
    ]);
    expect(points.map(({ rate }) => rate)).toEqual([5, 6]);
    expect(points.at(-1)).toMatchObject({ failureRate: 1, modelsLoaded: 2, bytes: 1e8 });
  });

  test('a daemon that began anew does not count backwards', () => {
    const points = pointsOf([readMetrics(text(50, 0), 0), readMetrics(text(4, 0), 2000)]);
    expect(points[0]?.rate).toBe(2);
  });

  test('a limited number of readings is kept', () => {
    let readings = [readMetrics('', 0)];
    for (let i = 1; i < 400; i++) readings = remember(readings, readMetrics('', i));
    expect(readings).toHaveLength(150);
    expect(readings.at(-1)?.atMs).toBe(399);
  });

  test('breakdown', () => {
    const rows = breakdown(
      readMetrics(text(90, 10), 0),
      'tollama_forecast_latency_seconds',
      'endpoint',
    );
    expect(rows).toMatchObject([{ name: 'v1_forecast', count: 100 }]);
    expect(rows[0]?.mean).toBeCloseTo(0.0095);
  });
});
