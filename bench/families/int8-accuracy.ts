/**
 * What int8 changes in the forecasts of every family: the difference to float32 as a share of the series'
 * standard deviation, over series with seasons, trends and noise, all steps and quantiles.
 *
 *   node bench/families/int8-accuracy.ts --checkpoints FOLDER [--families a,b] [--series 24]
 *
 * FOLDER holds the checkpoints that run.ts made. Families that sample draw by the same numbers on both sides.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Precision } from '@tollama/graph';
import { openModel, type Task } from '@tollama/models';
import { FAMILIES, type FamilyCase } from './families.ts';

const { values } = parseArgs({
  options: {
    checkpoints: { type: 'string', default: '' },
    families: { type: 'string' },
    series: { type: 'string', default: '24' },
    threads: { type: 'string', default: '2' },
  },
});

const CONTEXT = 512;
const HORIZON = 64;
const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];

/** A season of its own, a trend and noise for each series. */
const rows = Array.from({ length: Number(values.series) }, (_, i) =>
  Float64Array.from({ length: CONTEXT }, (__, t) => {
    const season = (4 + (i % 5)) * Math.sin((2 * Math.PI * t) / [7, 12, 24, 48][i % 4]! + i);
    const noise = Math.sin(t * 12.9898 + i * 78.233) * Math.cos(t * 3.7 + i);
    return 50 + season + 0.01 * (i % 3) * t + (1 + (i % 2)) * noise;
  }),
);

const spreadOf = (row: Float64Array): number => {
  const mean = row.reduce((sum, value) => sum + value, 0) / row.length;
  return Math.sqrt(row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / row.length);
};

/** All numbers of each series' forecast. */
const forecasts = async (one: FamilyCase, precision: Precision): Promise<readonly number[][]> => {
  const folder = join(values.checkpoints, one.config);
  await using model = await openModel(folder, { threads: Number(values.threads), precision });
  const task: Task = {
    series: rows.map((row, i) => ({ id: String(i), targets: [row] })),
    horizon: HORIZON,
    quantiles: one.quantiles === false ? [] : LEVELS,
    options: one.options ?? {},
  };
  const outcome = await model.forecast(task);
  return outcome.forecasts.map(({ targets: [forecast] }) =>
    [forecast!.mean, ...forecast!.quantiles].flatMap((part) => Array.from(part)),
  );
};

const quantile = (sorted: readonly number[], level: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(level * sorted.length))]!;

const percent = (share: number): string => `${(100 * share).toPrecision(2)} %`;

console.log('| checkpoint | median | 99 % | worst | worst series, median |');
console.log('| --- | ---: | ---: | ---: | ---: |');
const asked = values.families?.split(',');
for (const one of FAMILIES) {
  if (asked && !asked.includes(one.family)) continue;
  if (!existsSync(join(values.checkpoints, one.config))) continue;
  const exact = await forecasts(one, 'float32');
  const rounded = await forecasts(one, 'int8');
  const errors = exact.map((numbers, i) =>
    numbers
      .map((value, k) => Math.abs(rounded[i]![k]! - value) / spreadOf(rows[i]!))
      .sort((a, b) => a - b),
  );
  const all = errors.flat().sort((a, b) => a - b);
  const ofSeries = errors.map((list) => quantile(list, 0.5));
  const cells = [quantile(all, 0.5), quantile(all, 0.99), all.at(-1)!, Math.max(...ofSeries)];
  console.log(`| ${one.config} | ${cells.map(percent).join(' | ')} |`);
}
