/** The screen of `tollama top`: pure text, as large as the terminal. */
import { humanBytes, humanDuration, humanNumber, humanTime } from '../terminal/human.ts';
import { table } from '../terminal/table.ts';
import type { Activity } from './snapshot.ts';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

const SPARKS = '▁▂▃▄▅▆▇█';

/** A line of bars, the latest value last; the tallest bar is the largest value. */
export const sparkline = (values: readonly number[], width: number): string => {
  const shown = values.slice(-width);
  const most = Math.max(...shown, 0);
  return shown
    .map((value) => {
      const step = most > 0 ? Math.ceil((value / most) * (SPARKS.length - 1)) : 0;
      return SPARKS[step]!;
    })
    .join('');
};

const time = (ms: number | null): string => (ms === null ? '-' : `${humanNumber(ms, 3)} ms`);

const summary = ({ requests, ...activity }: Activity): string[] => [
  `tollama ${activity.version} at ${activity.url}, up ${humanDuration(activity.uptime_seconds * 1000)}`,
  [
    `requests ${requests.total}`,
    `failed ${requests.failed}`,
    `${humanNumber(requests.per_second, 4)}/s`,
    `p50 ${time(requests.p50_ms)}`,
    `p95 ${time(requests.p95_ms)}`,
  ].join('   '),
  `daemon ${humanBytes(activity.resident_bytes)}   event loop ${time(activity.event_loop_delay_ms)}`,
];

const families = ({ families: all }: Activity): string =>
  all.length === 0
    ? 'No runner was used yet.'
    : table(
        ['FAMILY', 'STATE', 'WORKING', 'WAITING', 'RUN', 'MEMORY', 'RESTARTS', 'LAST ERROR'],
        all.map((one) => [
          one.family,
          one.running ? 'running' : 'stopped',
          String(one.working),
          String(one.waiting),
          time(one.inference_ms),
          one.resident_bytes === null ? '-' : humanBytes(one.resident_bytes),
          String(one.restarts),
          one.last_error ?? '-',
        ]),
      );

const models = ({ models: all }: Activity, now: number): string =>
  all.length === 0
    ? 'No models loaded.'
    : table(
        ['MODEL', 'FAMILY', 'MEMORY', 'EXPIRES'],
        all.map(({ name, family, size, expires_at }) => [
          name,
          family,
          humanBytes(size),
          expires_at === null ? 'Forever' : humanTime(Date.parse(expires_at), now),
        ]),
      );

/**
 * Lines of the screen, cut to the terminal's size.
 *
 * @param rates requests a second of the looks so far, the latest last
 */
export const renderScreen = (
  activity: Activity,
  rates: readonly number[],
  now: number,
  { columns, rows }: ScreenSize,
): string[] => {
  const history = rates.length > 1 ? [`rate ${sparkline(rates, columns - 5)}`] : [];
  const lines = [
    ...summary(activity),
    ...history,
    '',
    ...families(activity).split('\n'),
    '',
    ...models(activity, now).split('\n'),
  ];
  return lines.slice(0, rows).map((line) => line.slice(0, columns));
};
