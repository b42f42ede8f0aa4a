/**
 * node bench/training-data.ts FOLDER DATASET/FREQ > series.csv: the series of an evaluation data set up to the first
 * window of any of its terms, as a table that `tollama train` reads. What is evaluated is not in it.
 */
import { futureTimestamps, parseFrequency } from '@tollama/core/frequency';
import { labelStart } from '@tollama/evaluation/gift-eval/protocol';
import {
  readConfigurations,
  readDataFile,
  toConfiguration,
} from '@tollama/evaluation/gift-eval/read-data';

const [folder, dataSet] = process.argv.slice(2);
if (folder === undefined || dataSet === undefined) {
  throw new Error('usage: node bench/training-data.ts FOLDER DATASET/FREQ');
}

const sources = (await readConfigurations(folder)).filter(({ name }) =>
  name.startsWith(`${dataSet}/`),
);
if (sources.length === 0) throw new Error(`${folder}/configs.json has no ${dataSet}`);
const data = await readDataFile(folder, sources[0]!.file);
const terms = sources.map((source) => toConfiguration(source, data));

process.stdout.write('unique_id,ds,y\n');
for (const { id, start, freq, target } of data.series) {
  const end = Math.min(
    ...terms.map(({ horizon, windows }) => labelStart(target.length, horizon, windows, 0)),
  );
  const stamps = [start, ...futureTimestamps(start, parseFrequency(freq), end - 1)];
  const rows = stamps.map(
    (stamp, t) => `${id},${stamp},${Number.isNaN(target[t]) ? '' : target[t]}`,
  );
  process.stdout.write(`${rows.join('\n')}\n`);
}
