/** The table of all families: our figures over the reference's, and the geometric means. */
import type { FamilyCase } from './families.ts';
import type { Measurement } from './sides.ts';

export interface Sitting {
  readonly of: FamilyCase;
  /** Millions of parameters. */
  readonly millions: number;
  /** The best of all rounds of each side, figure by figure. */
  readonly theirs: Measurement;
  readonly ours: Readonly<Record<string, Measurement>>;
}

/** The best of a side's rounds: whatever else the machine does can only make a round worse. */
export const best = (rounds: readonly Measurement[]): Measurement => ({
  load: Math.min(...rounds.map(({ load }) => load)),
  start: Math.min(...rounds.map(({ start }) => start)),
  b1: Math.min(...rounds.map(({ b1 }) => b1)),
  throughput: Math.max(...rounds.map(({ throughput }) => throughput)),
  memory: Math.min(...rounds.map(({ memory }) => memory)),
  line: rounds[0]!.line,
});

const figure = (value: number): string =>
  value >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(value < 10 ? 2 : 3)));

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const COLUMNS = [
  'family',
  'precision',
  'load, ms',
  'memory, MB',
  'b1, ms',
  'b32, series/s',
  'start to first, ms',
  'b1 ratio',
  'b32 ratio',
  'start ratio',
  'memory ratio',
] as const;

const ratiosOf = (ours: Measurement, theirs: Measurement): readonly number[] => [
  ours.b1 / theirs.b1,
  ours.throughput / theirs.throughput,
  ours.start / theirs.start,
  ours.memory / theirs.memory,
];

const rowsOf = ({ of, millions, theirs, ours }: Sitting): string[] =>
  Object.entries(ours).map(([precision, own]) => {
    const pairs = [
      [own.load, theirs.load],
      [own.memory, theirs.memory],
      [own.b1, theirs.b1],
      [own.throughput, theirs.throughput],
      [own.start, theirs.start],
    ] as const;
    return row([
      `${of.config} (${figure(millions)}M)`,
      precision,
      ...pairs.map(([mine, other]) => `${figure(mine)} : ${figure(other)}`),
      ...ratiosOf(own, theirs).map((ratio) => ratio.toFixed(2)),
    ]);
  });

const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

const meanRow = (sittings: readonly Sitting[], precision: string): string[] => {
  const ratios = sittings.flatMap(({ ours, theirs }) => {
    const own = ours[precision];
    return own ? [ratiosOf(own, theirs)] : [];
  });
  if (ratios.length < 2) return [];
  const means = ratios[0]!.map((_, i) => geometricMean(ratios.map((list) => list[i]!)));
  const blank = Array.from({ length: 5 }, () => '');
  return [
    row(['**geometric mean**', precision, ...blank, ...means.map((mean) => mean.toFixed(2))]),
  ];
};

/** Markdown; every pair is ours : theirs, every ratio ours / theirs. */
export const tableOf = (sittings: readonly Sitting[]): string =>
  [
    row(COLUMNS),
    row(COLUMNS.map((_, i) => (i < 2 ? '---' : '---:'))),
    ...sittings.flatMap(rowsOf),
    ...meanRow(sittings, 'float32'),
    ...meanRow(sittings, 'int8'),
  ].join('\n');
