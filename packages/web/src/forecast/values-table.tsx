/** The forecast in numbers: what the chart shows, for reading and for screen readers. */
import { formatValue } from '../ui/quantity.ts';
import { levelKey } from './level-key.ts';
import { mirroredPairs } from './quantile-levels.ts';
import { type Forecast, type Run, stepsOf } from './run.ts';

/** Rows that are drawn; the files hold all. */
const MAX_ROWS = 500;

const Cells = ({
  forecast,
  step,
  levels,
}: {
  forecast: Forecast;
  step: number;
  levels: readonly number[];
}) => {
  const [widest] = mirroredPairs(levels);
  const [low, high] = (widest ?? []).map((level) => forecast.quantiles?.[levelKey(level)]?.[step]);
  return (
    <>
      <td class="number">{formatValue(forecast.mean[step]!)}</td>
      {widest && (
        <td class="number soft">
          {low !== undefined && high !== undefined && `${formatValue(low)} – ${formatValue(high)}`}
        </td>
      )}
    </>
  );
};

interface HeadProps {
  readonly models: readonly string[];
  readonly widest: readonly number[] | undefined;
}

const Head = ({ models, widest }: HeadProps) => {
  const interval = widest?.map((level) => `${Number((level * 100).toPrecision(6))} %`).join(' – ');
  const columns = models.flatMap((model) =>
    interval === undefined
      ? [{ key: model, text: model }]
      : [
          { key: model, text: model },
          { key: `${model} interval`, text: interval },
        ],
  );
  return (
    <thead>
      <tr>
        <th scope="col">Time</th>
        {columns.map(({ key, text }) => (
          <th key={key} scope="col" class="number">
            {text}
          </th>
        ))}
      </tr>
    </thead>
  );
};

export const ValuesTable = ({ run, place }: { run: Run; place: number }) => {
  const done = run.results.flatMap(({ response }) => response ?? []);
  const forecasts = done.flatMap(({ forecasts: all }) => all[place] ?? []);
  const [first] = forecasts;
  const history = run.series[place];
  if (!first || !history) return null;
  const { timestamps } = stepsOf(first, history);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <section class="table-scroll values" tabIndex={0} aria-label="Forecast values">
        <table class="table">
          <Head models={done.map(({ model }) => model)} widest={mirroredPairs(run.levels)[0]} />
          <tbody>
            {timestamps.slice(0, MAX_ROWS).map((timestamp, step) => (
              <tr key={timestamp}>
                <th scope="row" class="mono">
                  {timestamp}
                </th>
                {forecasts.map((forecast, i) => (
                  <Cells key={done[i]!.model} forecast={forecast} step={step} levels={run.levels} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {timestamps.length > MAX_ROWS && (
        <p class="card-body soft small">
          The first {MAX_ROWS} of {timestamps.length} steps; the CSV holds all.
        </p>
      )}
    </>
  );
};
