/**
 * CRPS and MASE against seasonal naive on the real series of real-series.ts, rolling origins, each group of series
 * with the same weight.
 *
 *   node bench/accuracy-real.ts [--model auto,FOLDER OF A CHECKPOINT] [--origins 3] [--groups REGEX] [--long]
 */
import { parseArgs } from 'node:util';
import { parseFrequency, seasonLengths } from '../packages/core/src/frequency/index.ts';
import { forecasterOf } from './forecasters.ts';
import { realSeries } from './real-series.ts';

const { values: options } = parseArgs({
  options: {
    model: { type: 'string', default: 'auto' },
    origins: { type: 'string', default: '3' },
    groups: { type: 'string', default: '' },
  },
});
const LEVELS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9];
const names = options.model.split(',');
const forecasters = await Promise.all(
  names.map((name) => forecasterOf(name, (freq = '') => seasonLengths(parseFrequency(freq)))),
);
const rows = new Map<string, { crps: number[][]; mase: number[][] }>();
const seconds = names.map(() => 0);
for (const series of await realSeries()) {
  const { values, horizon, season, freq, group } = series;
  if (!new RegExp(options.groups).test(group)) continue;
  const row = rows.get(group) ?? { crps: names.map(() => []), mase: names.map(() => []) };
  rows.set(group, row);
  for (let k = Number(options.origins); k > 0; k--) {
    const end = values.length - horizon * k;
    if (end < 2 * season + 4) continue;
    const targets = [values.subarray(0, end)];
    const label = values.subarray(end, end + horizon);
    let naive = 0;
    for (let h = 0; h < horizon; h++) {
      naive += Math.abs(label[h]! - values[end + h - season * Math.ceil((h + 1) / season)]!);
    }
    if (naive === 0) continue;
    for (const [i, forecast] of forecasters.entries()) {
      const started = performance.now();
      const quantiles = await forecast({
        series: [{ id: '', targets, freq }],
        horizon,
        quantiles: LEVELS,
        options: {},
      });
      seconds[i]! += (performance.now() - started) / 1000;
      let loss = 0;
      let error = 0;
      for (let h = 0; h < horizon; h++) {
        error += Math.abs(label[h]! - quantiles[4]![h]!);
        LEVELS.forEach((level, q) => {
          const off = label[h]! - quantiles[q]![h]!;
          loss += (2 * Math.max(level * off, (level - 1) * off)) / LEVELS.length;
        });
      }
      row.crps[i]!.push(Math.max(0.01, loss / naive));
      row.mase[i]!.push(Math.max(0.01, error / naive));
    }
  }
}

const geometricMean = (numbers: readonly number[]): number =>
  Math.exp(numbers.reduce((sum, value) => sum + Math.log(value), 0) / numbers.length);
const shown = (value: number): string => value.toFixed(3).padStart(6);
console.log(`${'group'.padEnd(20)} ${names.map((name) => name.slice(-15).padStart(15)).join(' ')}`);
const groups = [...rows].filter(([, { crps }]) => crps[0]!.length > 0);
for (const [group, { crps, mase }] of groups) {
  const cells = names.map(
    (_, i) => `${shown(geometricMean(crps[i]!))} (${shown(geometricMean(mase[i]!))})`,
  );
  console.log(`${group.padEnd(20)} ${cells.join(' ')}  ${crps[0]!.length}`);
}
const total = names.map((_, i) => {
  const over = (kind: 'crps' | 'mase') =>
    shown(geometricMean(groups.map(([, row]) => geometricMean(row[kind][i]!))));
  return `${over('crps')} (${over('mase')})`;
});
console.log(`${'geometric mean'.padEnd(20)} ${total.join(' ')}`);
console.log(`${'seconds'.padEnd(20)} ${seconds.map((s) => s.toFixed(2).padStart(15)).join(' ')}`);
