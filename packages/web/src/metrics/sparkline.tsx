/** A small line without axes: the way that a figure went. Its words stand beside it. */

const WIDTH = 200;
const HEIGHT = 40;
const GROUND = HEIGHT - 1;

type Values = readonly (number | undefined)[];

/** Runs of points without a gap, as drawn between 0 and `top`. */
const runsOf = (values: Values, slots: number, top: number): string[][] => {
  const offset = slots - values.length;
  const runs: string[][] = [];
  values.forEach((value, i) => {
    if (value === undefined) return;
    const x = ((offset + i) / Math.max(1, slots - 1)) * WIDTH;
    const y = GROUND - 1 - (value / top) * (HEIGHT - 5);
    if (i === 0 || values[i - 1] === undefined) runs.push([]);
    runs.at(-1)!.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
  });
  return runs;
};

/** The path of the line; gaps where there are no values. */
export const linePath = (values: Values, slots: number, top: number): string =>
  runsOf(values, slots, top)
    .map((points) => `M${points.join('L')}`)
    .join('');

/** The path around what lies below the line. */
export const areaPath = (values: Values, slots: number, top: number): string =>
  runsOf(values, slots, top)
    .map((points) => {
      const [first, last] = [points[0]!, points.at(-1)!].map((point) => point.split(' ')[0]);
      return `M${first} ${GROUND}L${points.join('L')}L${last} ${GROUND}Z`;
    })
    .join('');

export interface SparklineProps {
  /** The line that counts, and one to compare it with. */
  readonly first: Values;
  readonly second?: Values | undefined;
  /** Values that fit; fewer stand at the right. */
  readonly slots: number;
}

export const Sparkline = ({ first, second = [], slots }: SparklineProps) => {
  const top = Math.max(1e-9, ...[...first, ...second].map((value) => value ?? 0));
  const hasSecond = second.some((value) => value !== undefined && value > 0);
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <line class="ground" x1="0" x2={WIDTH} y1={GROUND} y2={GROUND} />
      <path class="area" d={areaPath(first, slots, top)} />
      <path d={linePath(first, slots, top)} />
      {hasSecond && <path class="second" d={linePath(second, slots, top)} />}
    </svg>
  );
};
