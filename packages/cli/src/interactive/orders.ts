/** What can be asked at the prompt, one entry an order. Each takes the desk and leaves another one. */
import { TollamaError } from '@tollama/core/errors';
import { readSeries } from '@tollama/ingest/read-series';
import type { InputSeries } from '@tollama/ingest/series-objects';
import { renderChart } from '../chart/chart.ts';
import { positiveInteger } from '../commands/options.ts';
import { type AskOptions, forecastChunks } from '../forecast/ask.ts';
import { defaultHorizon, latestPoints, seriesInChunks } from '../forecast/body.ts';
import { hasColor, printForecasts } from '../forecast/print.ts';
import { parseQuantiles } from '../forecast/quantile-list.ts';
import { BASELINE, SCORED_LEVELS, scoreModels, scoreTable } from '../forecast/score-models.ts';
import { checkOutput, writeOutput } from '../forecast/write-output.ts';
import { table } from '../terminal/table.ts';
import type { Desk } from './desk.ts';

export interface Order {
  /** How it is typed, for the help. */
  readonly usage: string;
  readonly meaning: string;
  run(words: readonly string[], desk: Desk, ask: AskOptions): Promise<Desk>;
}

const needed = (words: readonly string[], usage: string): string => {
  const [first] = words;
  if (first !== undefined) return first;
  throw new TollamaError('INVALID_REQUEST', 'something is missing', { hint: `type: ${usage}` });
};

const seriesOf = ({ series }: Desk): readonly InputSeries[] => {
  if (series) return series;
  throw new TollamaError('INVALID_REQUEST', 'there is nothing to forecast', {
    hint: 'type: load sales.csv',
  });
};

const horizonOf = (desk: Desk): number =>
  desk.horizon ?? defaultHorizon(seriesOf(desk)[0]!, desk.freq);

/** Series by their ids; all of them when none is named. */
const chosen = (desk: Desk, ids: readonly string[]): readonly InputSeries[] => {
  const all = seriesOf(desk);
  for (const id of ids) {
    if (all.some((one) => one.id === id)) continue;
    const known = all.slice(0, 5).map((one) => one.id);
    throw new TollamaError('INVALID_REQUEST', `there is no series '${id}'`, {
      hint: `there are ${known.join(', ')}${all.length > known.length ? ', ...' : ''}`,
    });
  }
  return ids.length === 0 ? all : all.filter(({ id }) => ids.includes(id));
};

const describe = (series: readonly InputSeries[]): string =>
  table(
    ['SERIES', 'POINTS', 'FROM', 'TO', 'FREQ'],
    series
      .slice(0, 10)
      .map(({ id, target, timestamps, freq }) => [
        id,
        String(target.length),
        timestamps[0]!,
        timestamps.at(-1)!,
        freq,
      ]),
  );

const load: Order = {
  usage: 'load FILE',
  meaning: 'read series of a file: CSV, JSON, NDJSON, Parquet, Arrow, DuckDB',
  async run(words, desk) {
    const path = needed(words, this.usage);
    const { series, notes } = await readSeries({ path, stdin: process.stdin });
    for (const note of notes) console.log(`note: ${note}`);
    console.log(describe(series));
    if (series.length > 10) console.log(`... and ${series.length - 10} more series`);
    return { ...desk, path, series, last: undefined };
  },
};

const forecast: Order = {
  usage: 'forecast [SERIES...]',
  meaning: 'forecast the series and draw them',
  async run(ids, desk, ask) {
    const history = chosen(desk, ids);
    const body = { model: desk.model, horizon: horizonOf(desk), quantiles: [...desk.quantiles] };
    const chunks = seriesInChunks(latestPoints(history, {}).series, { freq: desk.freq });
    const last = await forecastChunks(chunks, body, ask);
    ask.progress.stop();
    for (const warning of last.warnings ?? []) console.log(`warning: ${warning}`);
    printForecasts(last, { history, held: undefined, baseline: undefined });
    return { ...desk, last };
  },
};

const plot: Order = {
  usage: 'plot [SERIES...]',
  meaning: 'draw what is known',
  async run(ids, desk) {
    const width = Math.min(process.stdout.columns ?? 80, 110);
    for (const { id, timestamps, target } of chosen(desk, ids).slice(0, 4)) {
      const chart = { title: id, history: { timestamps, values: target } };
      const historyPoints = target.length;
      console.log(`${renderChart(chart, { width, color: hasColor(), historyPoints })}\n`);
    }
    return desk;
  },
};

const compare: Order = {
  usage: 'compare [MODEL...]',
  meaning: `score models on the end of the series; ${BASELINE} is always among them`,
  async run(names, desk, ask) {
    const models = [...new Set([...(names.length > 0 ? names : [desk.model]), BASELINE])];
    const horizon = horizonOf(desk);
    const rolling = {
      horizon,
      windows: 1,
      step: horizon,
      quantiles: SCORED_LEVELS,
      freq: desk.freq,
      options: {},
    };
    const { rows, failures } = await scoreModels(models, seriesOf(desk), rolling, ask);
    ask.progress.stop();
    for (const failure of failures) console.log(`Error: ${failure}`);
    if (rows.some(({ model }) => model === BASELINE)) console.log(scoreTable(rows));
    return desk;
  },
};

const save: Order = {
  usage: 'save FILE',
  meaning: 'write the latest forecast, by the ending of the name: .csv, .json, .parquet, ...',
  async run(words, desk) {
    const path = needed(words, this.usage);
    if (!desk.last) {
      throw new TollamaError('INVALID_REQUEST', 'there is no forecast yet', {
        hint: 'type: forecast',
      });
    }
    checkOutput(path);
    const ids = desk.last.forecasts.map(({ id }) => id);
    await writeOutput(path, desk.last, chosen(desk, ids));
    console.log(`wrote ${ids.length} forecasts to ${path}`);
    return desk;
  },
};

const model: Order = {
  usage: 'model NAME',
  meaning: 'use another model; it is pulled when it is missing',
  run: async (words, desk) => ({ ...desk, model: needed(words, 'model NAME') }),
};

const horizon: Order = {
  usage: 'horizon STEPS|auto',
  meaning: 'steps to forecast; auto: two seasons',
  async run(words, desk) {
    const word = needed(words, this.usage);
    return { ...desk, horizon: word === 'auto' ? undefined : positiveInteger(word) };
  },
};

const quantiles: Order = {
  usage: 'quantiles LEVELS',
  meaning: 'levels of the fan, such as 0.1,0.5,0.9',
  async run(words, desk) {
    needed(words, this.usage);
    return { ...desk, quantiles: parseQuantiles(words.join(',')) };
  },
};

const freq: Order = {
  usage: 'freq ALIAS|auto',
  meaning: 'frequency, such as D, h or MS; auto: what the timestamps say',
  async run(words, desk) {
    const word = needed(words, this.usage);
    return { ...desk, freq: word === 'auto' ? undefined : word };
  },
};

const models: Order = {
  usage: 'models',
  meaning: 'list the installed models',
  async run(_words, desk, { client, signal }) {
    const { models: installed } = await client.tags({ signal });
    const names = installed.map(({ name }) => name);
    console.log(names.length > 0 ? names.join('\n') : 'No models installed.');
    return desk;
  },
};

const settings: Order = {
  usage: 'settings',
  meaning: 'show what the next forecast goes by',
  async run(_words, desk) {
    const data = desk.series ? `${desk.path} (${desk.series.length} series)` : 'nothing loaded';
    const rows = [
      ['data', data],
      ['model', desk.model],
      ['horizon', desk.horizon === undefined ? 'auto' : String(desk.horizon)],
      ['quantiles', desk.quantiles.join(', ')],
      ['freq', desk.freq ?? 'auto'],
    ];
    console.log(rows.map(([name, value]) => `${name!.padEnd(12)}${value}`).join('\n'));
    return desk;
  },
};

const help: Order = {
  usage: 'help',
  meaning: 'show this',
  async run(_words, desk) {
    const lines = Object.values(ORDERS).map(
      ({ usage, meaning }) => `${usage.padEnd(24)}${meaning}`,
    );
    console.log([...lines, `${'quit'.padEnd(24)}end the session`].join('\n'));
    return desk;
  },
};

export const ORDERS: Readonly<Record<string, Order>> = {
  load,
  forecast,
  plot,
  compare,
  save,
  model,
  horizon,
  quantiles,
  freq,
  models,
  settings,
  help,
};
