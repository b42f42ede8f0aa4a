/** Labels of a time axis: as coarse as its steps; what they leave out stands below the first of its kind. */

const DAY = 86_400;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (number: number): string => String(number).padStart(2, '0');

interface Parts {
  /** What the label says. */
  readonly label: string;
  /** What it leaves out. */
  readonly rest: string;
}

const partsOf = (seconds: number, step: number): Parts => {
  const date = new Date(seconds * 1000);
  const year = String(date.getUTCFullYear());
  const month = MONTHS[date.getUTCMonth()]!;
  const day = `${date.getUTCDate()} ${month}`;
  if (step >= 360 * DAY) return { label: year, rest: '' };
  if (step >= 28 * DAY) return { label: month, rest: year };
  if (step >= DAY) return { label: day, rest: year };
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  return { label: step >= 60 ? clock : `${clock}:${two(date.getUTCSeconds())}`, rest: day };
};

/**
 * @example
 * timeLabels([0, 86_400], 86_400); // ['1 Jan\n1970', '2 Jan']
 */
export const timeLabels = (splits: readonly number[], step: number): string[] => {
  const all = splits.map((seconds) => partsOf(seconds, step));
  return all.map(({ label, rest }, i) =>
    rest === '' || rest === all[i - 1]?.rest ? label : `${label}\n${rest}`,
  );
};
