/** Forecasts for a person: a chart of each of the first series, what was chosen, and how good it was. */
import type { ForecastResponse } from '@tollama/client';
import type { InputSeries } from '@tollama/ingest/series-objects';
import { renderChart } from '../chart/chart.ts';
import { humanNumber } from '../terminal/human.ts';
import { table } from '../terminal/table.ts';
import { coverage, type HeldOut, meanAbsoluteError } from './holdout.ts';
import { stepTimestamps } from './write-output.ts';

type Forecast = ForecastResponse['forecasts'][number];

export interface PrintOptions {
  readonly history: readonly InputSeries[];
  readonly held: readonly HeldOut[] | undefined;
  readonly baseline: ForecastResponse | undefined;
}

/** Series that are drawn; the others are in the JSON and in files. */
const MAX_CHARTS = 4;
const TABLE_STEPS = 6;

interface Stretch {
  readonly from: number;
  readonly weights: Readonly<Record<string, number>>;
}

const shares = ({ weights }: Stretch): string =>
  Object.entries(weights)
    .map(([name, weight]) => `${name} ${Math.round(100 * weight)} %`)
    .join(', ');

/** How a model that joins others weighed them: "step 1: a 60 %, b 40 %; step 17: ...". */
const joined = (stretches: readonly Stretch[], origins: number): string => {
  const told = stretches.map((stretch) =>
    stretches.length === 1 ? shares(stretch) : `from step ${stretch.from} ${shares(stretch)}`,
  );
  const reason =
    origins > 0 ? `by their losses from ${origins} earlier origins` : 'too short to rehearse';
  return `joined: ${told.join('; ')} (${reason})`;
};

/** What a model that chooses or joins per series did, in a line. */
const choice = ({ explanation }: Forecast): string | undefined => {
  const { stretches, origins } = (explanation ?? {}) as {
    stretches?: readonly Stretch[];
    origins?: number;
  };
  if (stretches?.length) return joined(stretches, origins ?? 0);
  const { chosen, why, seasons } = (explanation ?? {}) as {
    chosen?: unknown;
    why?: unknown;
    seasons?: readonly { length: number }[];
  };
  if (typeof chosen !== 'string') return undefined;
  const found = seasons?.length
    ? `; season ${seasons.map(({ length }) => length).join(' and ')}`
    : '';
  return `chosen: ${chosen}${typeof why === 'string' ? ` (${why})` : ''}${found}`;
};

const levelsOf = (forecast: Forecast): string[] => Object.keys(forecast.quantiles ?? {});

/** The next steps as numbers. */
const stepsTable = (forecast: Forecast, history: InputSeries): string => {
  const levels = levelsOf(forecast);
  const stamps = stepTimestamps(forecast, history);
  const rows = stamps
    .slice(0, TABLE_STEPS)
    .map((stamp, h) => [
      stamp,
      humanNumber(forecast.mean[h]!),
      ...levels.map((level) => humanNumber(forecast.quantiles![level]![h]!)),
    ]);
  const more = stamps.length - rows.length;
  return `${table(['TIME', 'MEAN', ...levels], rows)}${more > 0 ? `\n... ${more} more; --json or --output gives all` : ''}`;
};

/** Quantile rows around the median, the widest ones, as the chart's band. */
const band = ({ quantiles }: Forecast) => {
  const levels = Object.keys(quantiles ?? {});
  const [low, high] = [levels[0], levels.at(-1)];
  if (!quantiles || !low || !high || Number(low) >= 0.5 || Number(high) <= 0.5) return {};
  const percent = Math.round((Number(high) - Number(low)) * 100);
  return { lower: quantiles[low], upper: quantiles[high], interval: `${percent} % interval` };
};

const chart = (
  forecast: Forecast,
  model: string,
  history: InputSeries,
  actuals: readonly number[] | undefined,
): string =>
  renderChart(
    {
      title: `${forecast.id} - ${forecast.mean.length} steps by ${model}`,
      history: { timestamps: history.timestamps, values: history.target },
      forecast: {
        timestamps: stepTimestamps(forecast, history),
        median: forecast.quantiles?.['0.5'] ?? forecast.mean,
        ...band(forecast),
      },
      actuals,
    },
    { width: Math.min(process.stdout.columns ?? 80, 110), color: hasColor() },
  );

/** Colour only on a terminal that wants it. */
export const hasColor = (): boolean =>
  Boolean(process.stdout.isTTY && process.stdout.hasColors?.() && !process.env.NO_COLOR);

/** Error on the held-out end beside seasonal naive's, and how many values the fan caught. */
const scoreLine = (
  forecast: Forecast,
  baseline: Forecast,
  { actuals }: HeldOut,
  model: string,
): string => {
  const own = meanAbsoluteError(forecast.mean, actuals);
  const naive = meanAbsoluteError(baseline.mean, actuals);
  const ratio =
    naive > 0 ? `, ${humanNumber(own / naive, 3)} of seasonal naive's ${humanNumber(naive)}` : '';
  const levels = levelsOf(forecast);
  const [low, high] = [levels[0], levels.at(-1)];
  if (!low || !high || low === high)
    return `${model}: mean absolute error ${humanNumber(own)}${ratio}`;
  const share = coverage(forecast.quantiles![low]!, forecast.quantiles![high]!, actuals);
  const promised = Math.round((Number(high) - Number(low)) * 100);
  const caught = `the ${promised}% band holds ${Math.round(share * 100)}% of the values`;
  return `${model}: mean absolute error ${humanNumber(own)}${ratio}; ${caught}`;
};

export const printForecasts = (
  response: ForecastResponse,
  { history, held, baseline }: PrintOptions,
): void => {
  response.forecasts.slice(0, MAX_CHARTS).forEach((forecast, i) => {
    const lines = [
      chart(forecast, response.model, history[i]!, held?.[i]?.actuals),
      choice(forecast),
      held && baseline
        ? scoreLine(forecast, baseline.forecasts[i]!, held[i]!, response.model)
        : stepsTable(forecast, history[i]!),
    ];
    console.log(`${lines.filter(Boolean).join('\n')}\n`);
  });
  const hidden = response.forecasts.length - MAX_CHARTS;
  if (hidden > 0)
    console.log(`... and ${hidden} more series; --output forecast.csv writes all of them`);
};
