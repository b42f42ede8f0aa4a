/** The view of metrics: figures with the way they went, and tables of what was since the start. */
import { useState } from 'preact/hooks';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { formatBytes, formatMilliseconds } from '../ui/quantity.ts';
import { type Breakdown, breakdown, type Point, pointsOf, type Reading } from './history.ts';
import { useLiveMetrics } from './live-metrics.ts';
import { Sparkline } from './sparkline.tsx';

/** Points that a sparkline has room for at first. */
const MIN_SLOTS = 20;

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly note: string;
  readonly first: readonly (number | undefined)[];
  readonly second?: readonly (number | undefined)[];
}

const Figure = ({ name, value, unit, note, first, second }: FigureProps) => (
  <li class="card figure">
    <h2>{name}</h2>
    <p class="figure-value">
      {value}
      {unit !== undefined && <span class="soft"> {unit}</span>}
    </p>
    <p class="soft small">{note}</p>
    <Sparkline first={first} second={second} slots={Math.max(MIN_SLOTS, first.length)} />
  </li>
);

/** Below the first bound of the buckets nothing is known but that. */
const seconds = (value: number | undefined, floor = 0): string => {
  if (value === undefined) return '–';
  return value <= floor
    ? `< ${formatMilliseconds(floor * 1000)}`
    : formatMilliseconds(value * 1000);
};

const rateText = (rate: number): string =>
  rate >= 100 ? Math.round(rate).toLocaleString('en') : rate.toFixed(rate < 10 ? 2 : 1);

interface FiguresProps {
  readonly points: readonly Point[];
  readonly reading: Reading;
}

const Latency = ({
  points,
  reading,
  name,
  level,
}: FiguresProps & { name: string; level: 'p50' | 'p95' }) => (
  <Figure
    name={name}
    value={seconds(points.at(-1)?.[level], reading.latency.bounds[0])}
    note={points.at(-1)?.[level] === undefined ? 'no forecast in 30 s' : 'over the last 30 s'}
    first={points.map((point) => point[level])}
  />
);

const Figures = ({ points, reading }: FiguresProps) => {
  const last = points.at(-1);
  const [memory, unit] = formatBytes(reading.daemonBytes + reading.runnerBytes).split(' ');
  return (
    <ul class="figures">
      <Figure
        name="Forecasts"
        value={rateText(last?.rate ?? 0)}
        unit="a second"
        note={`${rateText(last?.failureRate ?? 0)} a second failed`}
        first={points.map(({ rate }) => rate)}
        second={points.map(({ failureRate }) => failureRate)}
      />
      <Latency points={points} reading={reading} name="Latency, median" level="p50" />
      <Latency points={points} reading={reading} name="Latency, 95 % below" level="p95" />
      <Figure
        name="In flight"
        value={String(reading.inFlight)}
        note="calls that wait for a runner"
        first={points.map(({ inFlight }) => inFlight)}
      />
      <Figure
        name="Models loaded"
        value={String(reading.modelsLoaded)}
        note={`${reading.requests.toLocaleString('en')} forecasts since the start`}
        first={points.map(({ modelsLoaded }) => modelsLoaded)}
      />
      <Figure
        name="Memory"
        value={memory ?? ''}
        unit={unit ?? ''}
        note={`daemon ${formatBytes(reading.daemonBytes)}, runners at most ${formatBytes(reading.runnerBytes)}`}
        first={points.map(({ bytes }) => bytes)}
      />
    </ul>
  );
};

interface BreakdownProps {
  readonly reading: Reading;
  readonly title: string;
  readonly metric: string;
  readonly label: string;
  readonly column: string;
}

const BreakdownRow = ({ name, count, mean, p50, p95, floor }: Breakdown) => (
  <tr>
    <th scope="row" class="mono">
      {name}
    </th>
    <td class="number">{count.toLocaleString('en')}</td>
    <td class="number">{seconds(mean)}</td>
    <td class="number">{seconds(p50, floor)}</td>
    <td class="number">{seconds(p95, floor)}</td>
  </tr>
);

interface BreakdownTableProps {
  readonly title: string;
  readonly column: string;
  readonly rows: readonly Breakdown[];
}

const BreakdownTable = ({ title, column, rows }: BreakdownTableProps) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
  <section class="table-scroll" tabIndex={0} aria-label={`${title}, table`}>
    <table class="table">
      <thead>
        <tr>
          <th scope="col">{column}</th>
          {['Count', 'Mean', 'p50', 'p95'].map((name) => (
            <th key={name} scope="col" class="number">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <BreakdownRow key={row.name} {...row} />
        ))}
      </tbody>
    </table>
  </section>
);

const BreakdownCard = ({ reading, title, metric, label, column }: BreakdownProps) => {
  const rows = breakdown(reading, metric, label);
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <span class="soft small">since the daemon began</span>
      </div>
      {rows.length === 0 ? (
        <p class="empty">
          Nothing was forecast yet. <a href="#/forecast">Forecast something</a>.
        </p>
      ) : (
        <BreakdownTable title={title} column={column} rows={rows} />
      )}
    </section>
  );
};

export const MetricsView = () => {
  const [isPaused, setPaused] = useState(false);
  const { readings, problem } = useLiveMetrics(isPaused);
  const reading = readings.at(-1);
  return (
    <div class="stack">
      {problem && <ProblemNote problem={problem} title="The metrics could not be read" />}
      <div class="row spread">
        <p class="soft small">
          {isPaused ? 'Paused' : 'Live, every 2 s'}; the lines show up to five minutes
        </p>
        <button type="button" class="button" onClick={() => setPaused(!isPaused)}>
          <Icon name={isPaused ? 'play' : 'pause'} size={13} />
          {isPaused ? 'Go on' : 'Pause'}
        </button>
      </div>
      {reading && (
        <>
          <Figures points={pointsOf(readings)} reading={reading} />
          <BreakdownCard
            reading={reading}
            title="Requests"
            metric="tollama_forecast_latency_seconds"
            label="endpoint"
            column="Endpoint"
          />
          <BreakdownCard
            reading={reading}
            title="Inference"
            metric="tollama_runner_inference_seconds"
            label="family"
            column="Family"
          />
        </>
      )}
    </div>
  );
};
