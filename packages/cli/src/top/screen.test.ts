import { expect, test } from 'vitest';
import { renderScreen, sparkline } from './screen.ts';
import type { Activity } from './snapshot.ts';

const activity: Activity = {
  url: 'http://127.0.0.1:11435',
  version: '0.1.0',
  uptime_seconds: 7200,
  resident_bytes: 110e6,
  event_loop_delay_ms: 10.4,
  requests: { total: 1200, failed: 3, per_second: 812.5, p50_ms: 4.25, p95_ms: 9.5 },
  families: [
    {
      family: 'chronos-bolt',
      running: true,
      working: 32,
      waiting: 4,
      inference_ms: 12.3,
      resident_bytes: 420e6,
      restarts: 1,
      last_error: null,
    },
  ],
  models: [
    {
      name: 'chronos-bolt-small',
      family: 'chronos-bolt',
      size: 420e6,
      expires_at: '2026-01-01T00:05:00Z',
    },
  ],
};
const now = Date.parse('2026-01-01T00:00:00Z');

test('the screen', () => {
  const lines = renderScreen(activity, [1, 2, 4], now, { columns: 100, rows: 40 });
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "tollama 0.1.0 at http://127.0.0.1:11435, up 2 hours
    requests 1200   failed 3   812.5/s   p50 4.25 ms   p95 9.5 ms
    daemon 110 MB   event loop 10.4 ms
    rate ▃▅█

    FAMILY          STATE      WORKING    WAITING    RUN        MEMORY    RESTARTS    LAST ERROR
    chronos-bolt    running    32         4          12.3 ms    420 MB    1           -

    MODEL                 FAMILY          MEMORY    EXPIRES
    chronos-bolt-small    chronos-bolt    420 MB    5 minutes from now"
  `);
});

test('it is never larger than the terminal', () => {
  const lines = renderScreen(activity, Array(300).fill(1), now, { columns: 30, rows: 5 });
  expect(lines).toHaveLength(5);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(30);
});

test('sparklines', () => {
  expect(sparkline([0, 1, 2, 7], 10)).toBe('▁▂▃█');
  expect(sparkline([0, 0], 10)).toBe('▁▁');
  expect(sparkline([9, 1, 1], 2)).toBe('██');
});
