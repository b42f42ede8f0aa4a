/** The playground: data, models and horizon on one side, the chart and its numbers on the other. */
import { useMemo, useState } from 'preact/hooks';
import { Icon } from '../ui/icon.tsx';
import { useStore } from '../ui/store.ts';
import { historyChart, runChart } from './chart-data.ts';
import { DataPanel } from './data-panel.tsx';
import { download, resultsCsv, resultsJson } from './export.ts';
import { FanChart } from './fan-chart.tsx';
import { ModelPanel } from './model-panel.tsx';
import { OptionsPanel } from './options-panel.tsx';
import { ResultList } from './result-list.tsx';
import { isRunning, obstacle, type Run } from './run.ts';
import { type Setup, setup, shownSeries } from './setup.ts';
import { run, startRun } from './start-run.ts';
import { ValuesTable } from './values-table.tsx';

/** On a narrow screen the chart stands below what was filled in. */
const showChart = (): void => {
  const card = document.getElementById('chart-title')?.closest('section');
  const behavior = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
  if (card && card.getBoundingClientRect().top > innerHeight * 0.6) {
    card.scrollIntoView({ block: 'start', behavior });
  }
};

/** A run counts for the data that it was made of, as long as that is what is shown. */
const runOf = (now: Setup, current: Run | undefined): Run | undefined =>
  current?.source === now.series ? current : undefined;

const SeriesSelect = () => {
  const now = useStore(setup);
  if (now.series.length < 2) return null;
  return (
    <label class="row small">
      <span class="label">Series</span>
      <select
        class="select series-select"
        value={shownSeries(now)?.id}
        onChange={({ currentTarget: { value } }) =>
          setup.update((before) => ({ ...before, shown: value }))
        }
      >
        {now.series.map(({ id }) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </label>
  );
};

const RangeSwitch = ({
  isWhole,
  onChange,
}: {
  isWhole: boolean;
  onChange: (whole: boolean) => void;
}) => (
  <fieldset class="segments">
    <legend class="visually-hidden">History shown</legend>
    <button type="button" aria-pressed={!isWhole} onClick={() => onChange(false)}>
      Recent
    </button>
    <button type="button" aria-pressed={isWhole} onClick={() => onChange(true)}>
      All history
    </button>
  </fieldset>
);

const ChartCard = ({ current }: { current: Run | undefined }) => {
  const now = useStore(setup);
  const [isWhole, setWhole] = useState(false);
  const series = shownSeries(now);
  const place = current?.series.findIndex(({ id }) => id === series?.id) ?? -1;
  const data = useMemo(() => {
    if (!series) return undefined;
    return current && place >= 0
      ? runChart(current, place, series, isWhole)
      : historyChart(series, Math.max(1, now.horizon || 1), isWhole);
  }, [current, series, place, isWhole, now.horizon]);
  return (
    <section class="card" aria-labelledby="chart-title">
      <div class="card-head">
        <h2 id="chart-title">{series ? series.id : 'Chart'}</h2>
        <div class="row">
          <SeriesSelect />
          <RangeSwitch isWhole={isWhole} onChange={setWhole} />
        </div>
      </div>
      <div class="card-body">
        {data && series ? (
          <FanChart data={data} label={`Chart of ${series.id}`} />
        ) : (
          <p class="empty">Choose data to see it here.</p>
        )}
      </div>
    </section>
  );
};

const ValuesCard = ({ current, place }: { current: Run; place: number }) => (
  <details class="card values-card">
    <summary>
      <h2>Values</h2>
      <span class="soft small">every step, with its interval</span>
    </summary>
    <ValuesTable run={current} place={place} />
  </details>
);

const Downloads = ({ current }: { current: Run }) => (
  <div class="row">
    <button
      type="button"
      class="button"
      onClick={() => download('forecast.csv', 'text/csv', resultsCsv(current))}
    >
      <Icon name="download" size={14} />
      CSV
    </button>
    <button
      type="button"
      class="button"
      onClick={() => download('forecast.json', 'application/json', resultsJson(current))}
    >
      <Icon name="download" size={14} />
      JSON
    </button>
  </div>
);

const Results = ({ current }: { current: Run }) => {
  const now = useStore(setup);
  const series = shownSeries(now);
  const place = Math.max(
    0,
    current.series.findIndex(({ id }) => id === series?.id),
  );
  const hasAnswer = current.results.some(({ response }) => response);
  return (
    <>
      <div class="row spread">
        <h2>Results</h2>
        {hasAnswer && <Downloads current={current} />}
      </div>
      <ResultList run={current} place={place} whole={series} />
      {hasAnswer && <ValuesCard current={current} place={place} />}
    </>
  );
};

const RunButton = ({ current }: { current: Run | undefined }) => {
  const now = useStore(setup);
  const problem = obstacle(now);
  const isBusy = current !== undefined && isRunning(current);
  return (
    <div class="run-bar">
      <button
        type="submit"
        class="button primary"
        disabled={problem !== undefined}
        aria-disabled={isBusy}
      >
        {isBusy ? <span class="spinner" aria-hidden="true" /> : <Icon name="play" size={13} />}
        {isBusy ? 'Forecasting' : 'Forecast'}
      </button>
      {isBusy && (
        <button type="button" class="button" onClick={() => current.cancel()}>
          Stop
        </button>
      )}
      {problem !== undefined && <p class="soft small">{problem}</p>}
    </div>
  );
};

export const ForecastView = () => {
  const now = useStore(setup);
  const current = runOf(now, useStore(run));
  return (
    <div class="playground">
      <form
        class="card controls"
        aria-label="What to forecast"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          const isBusy = current !== undefined && isRunning(current);
          if (isBusy || obstacle(setup.get()) !== undefined) return;
          void startRun();
          showChart();
        }}
      >
        <DataPanel />
        <ModelPanel />
        <OptionsPanel />
        <RunButton current={current} />
      </form>
      <div class="stack">
        <ChartCard current={current} />
        {current && <Results current={current} />}
      </div>
    </div>
  );
};
