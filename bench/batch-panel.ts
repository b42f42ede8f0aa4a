/**
 * A panel of generated daily series with a weekly season and a trend of their own, as Parquet: columns unique_id,
 * ds, y, in the order of ids and times unless it is shuffled. The same arguments give the same numbers.
 *
 *   node bench/batch-panel.ts panel.parquet [--series 1000000] [--points 200] [--shuffled]
 */
import { parseArgs } from 'node:util';
import { openDuckDb, quoteText } from '../packages/batch/src/panel/duckdb.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    series: { type: 'string', default: '1000000' },
    points: { type: 'string', default: '200' },
    shuffled: { type: 'boolean', default: false },
  },
});
const [path] = positionals;
if (!path) throw new Error('name the file to write');
const [series, points] = [Number(values.series), Number(values.points)];

using database = await openDuckDb({
  temporaryFolder: `${path}.tmp`,
  memoryMegabytes: 600,
  threads: 2,
});
/** In [0, 1), from whole numbers. */
const noise = (...parts: string[]): string => `(hash(${parts.join(', ')}) % 1000003) / 1000003.0`;
const order = values.shuffled ? 'ORDER BY hash(s, t)' : '';
const started = performance.now();
await database.connection.run(`
  COPY (
    SELECT printf('s%08d', s) AS unique_id,
      TIMESTAMP '2024-01-01' + to_days(t::INTEGER) AS ds,
      round(100 + 50 * ${noise('s')} + t * (${noise('s', "'trend'")} - 0.3) * 0.2
        + 12 * ${noise('s', "'season'")} * sin(2 * pi() * (t + s % 7) / 7)
        + 3 * (${noise('s', 't')} + ${noise('t', 's', "'b'")} + ${noise('s', 't', "'c'")} - 1.5), 3) AS y
    FROM (SELECT i // ${points} AS s, i % ${points} AS t FROM range(${series * points}) r(i)) ${order}
  ) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)`);
console.log(
  `${series} series x ${points} points in ${Math.round((performance.now() - started) / 1000)} s`,
);
