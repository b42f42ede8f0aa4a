/** What the playground is about to forecast: data, columns, models, horizon. */
import { inferFrequency, parseFrequency, seasonLengths } from '@tollama/core/frequency';
import { type Problem, problemOf } from '../ui/problem.ts';
import { createStore } from '../ui/store.ts';
import { type Columns, columnKinds, guessColumns } from './columns.ts';
import { parseCsv, type Table } from './csv.ts';
import { EXAMPLES } from './example-data.ts';
import { DEFAULT_LEVELS } from './quantile-levels.ts';
import { type SeriesData, seriesOf } from './table-series.ts';

export interface Setup {
  readonly table: Table | undefined;
  readonly columns: Columns | undefined;
  readonly series: readonly SeriesData[];
  /** The series that is drawn. */
  readonly shown: string | undefined;
  readonly problem: Problem | undefined;
  readonly models: readonly string[];
  readonly horizon: number;
  readonly levels: string;
  /** As the user gave it; empty: the daemon finds out. */
  readonly frequency: string;
  /** Forecast the end of the history, to hold the forecasts against it. */
  readonly isHeldOut: boolean;
}

export const setup = createStore<Setup>({
  table: undefined,
  columns: undefined,
  series: [],
  shown: undefined,
  problem: undefined,
  models: ['auto'],
  horizon: 24,
  levels: DEFAULT_LEVELS,
  frequency: '',
  isHeldOut: false,
});

/** Steps of one natural cycle; 1 where the times suggest none. */
export const seasonOf = ({ timestamps }: SeriesData): number => {
  try {
    return seasonLengths(parseFrequency(inferFrequency(timestamps).alias))[0] ?? 1;
  } catch {
    return 1;
  }
};

/** What the times of a series say about their distance, such as `h`; undefined where they are irregular. */
export const frequencyOf = ({ timestamps }: SeriesData): string | undefined => {
  try {
    return inferFrequency(timestamps).alias;
  } catch {
    return undefined;
  }
};

/** Two cycles, but no more than a quarter of what is known. */
const horizonFor = (series: SeriesData): number => {
  const wanted = Math.max(12, 2 * seasonOf(series));
  return Math.max(1, Math.min(wanted, Math.floor(series.values.length / 4)));
};

/** Reads the series by the columns; a fault stands in `problem`. */
const withColumns = (before: Setup, table: Table, columns: Columns | undefined): Setup => {
  const empty = { ...before, table, columns, series: [], shown: undefined };
  if (!columns) {
    const names = table.names.map((name) => `‘${name}’`).join(', ');
    const message = `${table.file}: no column of numbers among ${names}`;
    return { ...empty, problem: { message, hint: 'choose a file with a column of values' } };
  }
  try {
    const series = seriesOf(table, columns);
    const first = series[0]!;
    return { ...empty, series, shown: first.id, problem: undefined, horizon: horizonFor(first) };
  } catch (error) {
    return { ...empty, problem: problemOf(error) };
  }
};

export const chooseColumns = (columns: Columns): void =>
  setup.update((before) => (before.table ? withColumns(before, before.table, columns) : before));

/** Takes the text of a CSV file as the data. */
export const chooseText = (file: string, text: string): void =>
  setup.update((before) => {
    try {
      const table = parseCsv(file, text);
      return withColumns({ ...before, frequency: '' }, table, guessColumns(table));
    } catch (error) {
      return { ...before, problem: problemOf(error) };
    }
  });

/** Larger files are for `tollama run`: a page would stand still over them. */
const MAX_FILE_BYTES = 50_000_000;

export const chooseFile = async (file: File): Promise<void> => {
  if (file.size > MAX_FILE_BYTES) {
    const message = `${file.name} has ${Math.round(file.size / 1e6)} MB; the page reads up to 50 MB`;
    const hint = '`tollama run --input` reads files of any size, Parquet too';
    setup.update((before) => ({ ...before, problem: { message, hint } }));
    return;
  }
  chooseText(file.name, await file.text());
};

export const startSetup = (): void => {
  const [example] = EXAMPLES;
  if (!setup.get().table && example) chooseText(example.file, example.make());
};

/** Columns that may hold the values: those of numbers, and the chosen one. */
export const valueColumns = (table: Table): readonly number[] => {
  const kinds = columnKinds(table);
  return [...table.names.keys()].filter((i) => kinds[i] === 'number');
};

export const MAX_MODELS = 6;

export const toggleModel = (name: string): void =>
  setup.update((before) => {
    const isChosen = before.models.includes(name);
    if (!isChosen && before.models.length >= MAX_MODELS) return before;
    const models = isChosen
      ? before.models.filter((model) => model !== name)
      : [...before.models, name];
    return { ...before, models };
  });

export const shownSeries = ({ series, shown }: Setup): SeriesData | undefined =>
  series.find(({ id }) => id === shown) ?? series[0];
