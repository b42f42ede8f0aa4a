/** Options of the commands that read series of a file and ask a daemon about them. */
import { readSeries, type SeriesInput } from '@tollama/ingest/read-series';
import type { Command } from 'commander';
import { commaSeparated } from './options.ts';

/** What --input takes, for its help. */
export const INPUT_KINDS = 'CSV, JSON, NDJSON, Parquet, Arrow or DuckDB (file::table); - for stdin';

export interface SeriesOptions {
  readonly freq?: string;
  readonly idCol?: string;
  readonly timeCol?: string;
  readonly targetCol?: string[];
  readonly acceptLicense?: boolean;
  readonly baseUrl?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** --freq, --id-col, --time-col, --target-col, --accept-license, --base-url, --json, --quiet */
export const withSeriesOptions = (command: Command): Command =>
  command
    .option('--freq <alias>', 'frequency, such as D, h or MS (default: from the timestamps)')
    .option('--id-col <name>', 'column of the series ids')
    .option('--time-col <name>', 'column of the timestamps')
    .option('--target-col <names>', 'columns of the values', commaSeparated)
    .option('--accept-license', 'accept the licence of a model that is pulled')
    .option('--base-url <url>', 'address of the daemon; without it one is started when none runs')
    .option('--json', 'print JSON')
    .option('-q, --quiet', 'no progress and no notes');

/** The series of a file, or of stdin for `-`, by the columns that the options name. */
export const readInput = (
  path: string,
  { idCol, timeCol, targetCol }: SeriesOptions,
): Promise<SeriesInput> =>
  readSeries({
    path,
    stdin: process.stdin,
    idColumn: idCol,
    timeColumn: timeCol,
    targetColumns: targetCol,
  });
