/** Quantile crossing: at each step the values are sorted and dealt to the ascending levels. */

export interface Uncrossed {
  readonly rows: readonly (readonly number[])[];
  readonly hasCrossed: boolean;
}

const ascends = (rows: readonly (readonly number[])[], step: number): boolean => {
  for (let row = 1; row < rows.length; row++) {
    if (rows[row]![step]! < rows[row - 1]![step]!) return false;
  }
  return true;
};

/** rows [levels][horizon], levels ascending. Rows that do not cross are given back as they are. */
export const fixCrossing = (rows: readonly (readonly number[])[]): Uncrossed => {
  const horizon = rows[0]?.length ?? 0;
  let fixed: number[][] | undefined;
  for (let step = 0; step < horizon; step++) {
    if (ascends(rows, step)) continue;
    fixed ??= rows.map((row) => [...row]);
    const sorted = rows.map((row) => row[step]!).sort((a, b) => a - b);
    for (const [row, value] of sorted.entries()) fixed[row]![step] = value;
  }
  return { rows: fixed ?? rows, hasCrossed: fixed !== undefined };
};
