/**
 * Pairs this project with a family's Python package on the same checkpoint and machine: the two sides
 * alternate, and the medians of all rounds are compared.
 *
 *   node bench/pair.ts --family chronos-bolt --model DIR --python ENV/bin/python --rig FOLDER \
 *                      [--rounds 3] [--precisions float32,int8] [--batch 32] [--seconds 6]
 *
 * FOLDER holds the rig (bench.py) that times the Python package; without it nothing is measured.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    family: { type: 'string' },
    model: { type: 'string' },
    python: { type: 'string', default: 'python3' },
    rig: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    precisions: { type: 'string', default: 'float32,int8' },
    batch: { type: 'string', default: '32' },
    seconds: { type: 'string', default: '6' },
    threads: { type: 'string', default: '2' },
  },
});

type Line = Readonly<Record<string, number>>;

const rig = join(values.rig ?? '', 'bench.py');
if (!values.family || !values.model || !values.rig || !existsSync(rig)) {
  console.error(`SKIPPED: no rig at ${rig}; give --family, --model, --python and --rig`);
  process.exit(values.rig && !existsSync(rig) ? 0 : 2);
}

const lastLine = (output: string): Line => JSON.parse(output.trim().split('\n').at(-1)!) as Line;

// What type stripping gave is kept, as the programs of the product keep it.
process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'tollama-bench-compiled');

const common = [
  '--model',
  values.model,
  '--threads',
  values.threads,
  '--batch',
  values.batch,
  '--seconds',
  values.seconds,
];

const cache = mkdtempSync(join(tmpdir(), 'tollama-bench-'));
process.on('exit', () => rmSync(cache, { recursive: true, force: true }));

const theirs = (): Line => {
  const args = [rig, '--family', values.family!, ...common];
  return lastLine(
    execFileSync(values.python, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
  );
};

const ours = (precision: string): Line => {
  // Graph files are kept between the rounds, as a daemon keeps them.
  const args = [
    join(import.meta.dirname, 'ours.ts'),
    ...common,
    '--precision',
    precision,
    '--cache',
    cache,
  ];
  return lastLine(
    execFileSync(process.execPath, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
};

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1]!;
const over = (lines: readonly Line[], read: (line: Line) => number): number =>
  median(lines.map(read));

const precisions = values.precisions.split(',');
const python: Line[] = [];
const runs = new Map<string, Line[]>(precisions.map((precision) => [precision, []]));
for (let round = 0; round < Number(values.rounds); round++) {
  python.push(theirs());
  for (const precision of precisions) runs.get(precision)!.push(ours(precision));
}

/** The interpreter's own start is not in the Python figures. */
const pythonStart = (line: Line): number =>
  line.import_s! * 1000 + line.load_s! * 1000 + line.first_ms!;
const row = (name: string, cells: readonly (number | string)[]): string =>
  `| ${[name, ...cells.map((cell) => (typeof cell === 'number' ? cell.toPrecision(3) : cell))].join(' | ')} |`;

console.log(
  row('side', [
    'batch 1, ms',
    `batch ${values.batch}, series/s`,
    'start to first, ms',
    'memory, MB',
  ]),
);
console.log(row('---', ['---', '---', '---', '---']));
const reference = {
  b1: over(python, (line) => line.b1_ms!),
  batch: over(python, (line) => line.batch_series_per_s ?? 0),
  start: over(python, pythonStart),
  rss: over(python, (line) => line.rss_mb!),
};
console.log(row('Python package', [reference.b1, reference.batch, reference.start, reference.rss]));
for (const [precision, lines] of runs) {
  const b1 = over(lines, (line) => line.b1_ms!);
  const batch = over(lines, (line) => line.batch_series_per_s ?? 0);
  const start = over(lines, (line) => line.start_to_first_ms!);
  console.log(row(`ours, ${precision}`, [b1, batch, start, over(lines, (line) => line.rss_mb!)]));
  const ratios = [b1 / reference.b1, batch / reference.batch, start / reference.start];
  console.log(row(`ours / Python, ${precision}`, [...ratios, '']));
}
