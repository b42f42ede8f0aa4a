/**
 * Whether a series that choices were made on (bench/real-series.ts) lies in the evaluation data: stretches of 32
 * points, as the signs of nothing but their shape (differences in units of their standard deviation, rounded), are
 * looked for in every evaluation file. Exits with 1 on a hit; prints only names and counts.
 *
 *   node bench/overlap.ts --data FOLDER
 */
import { parseArgs } from 'node:util';
import { readConfigurations, readDataFile } from '@tollama/evaluation/gift-eval/read-data';
import { realSeries } from './real-series.ts';

const { values: options } = parseArgs({ options: { data: { type: 'string' } } });
if (options.data === undefined) throw new Error('--data FOLDER names the evaluation data');
const folder = options.data;

const LENGTH = 32;
const DIGITS = 100;
/** A stretch with fewer kinds of steps (a staircase, counts of 0 and 1) is alike by chance. */
const LEAST_KINDS = 8;

/** The shape of each stretch whose start is a multiple of `stride`; what is flat or has gaps has none. */
function* shapes(
  series: ArrayLike<number>,
  stride: number,
): Generator<{ readonly start: number; readonly shape: string }> {
  const steps = new Float64Array(LENGTH - 1);
  for (let start = 0; start + LENGTH <= series.length; start += stride) {
    let squares = 0;
    let sum = 0;
    for (let i = 0; i < steps.length; i++) {
      steps[i] = series[start + i + 1]! - series[start + i]!;
      sum += steps[i]!;
      squares += steps[i]! * steps[i]!;
    }
    const deviation = Math.sqrt(squares / steps.length - (sum / steps.length) ** 2);
    if (!(deviation > 0) || !Number.isFinite(deviation)) continue;
    const rounded = Array.from(steps, (step) => Math.round((step / deviation) * DIGITS));
    if (new Set(rounded).size >= LEAST_KINDS) yield { start, shape: rounded.join(' ') };
  }
}

const known = new Map<string, string>();
let stretches = 0;
for (const { name, values } of await realSeries()) {
  // Every start of ours, each 8th of theirs: an overlap of 40 points is met.
  for (const { shape } of shapes(values, 1)) {
    known.set(shape, name);
    stretches++;
  }
}
const files = new Set((await readConfigurations(folder)).map(({ file }) => file));
let [looked, hits] = [0, 0];
for (const file of files) {
  const found = new Map<string, number>();
  for (const { target } of (await readDataFile(folder, file)).series) {
    for (const { shape } of shapes(target, 8)) {
      looked++;
      const name = known.get(shape);
      if (name !== undefined) found.set(name, (found.get(name) ?? 0) + 1);
    }
  }
  for (const [name, count] of found) {
    hits += count;
    console.log(`${name} lies in ${file}: ${count} stretches`);
  }
}
console.log(
  `${stretches} stretches of ours against ${looked} of ${files.size} files: ${hits} alike`,
);
process.exitCode = hits > 0 ? 1 : 0;
