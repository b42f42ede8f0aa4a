/** Number of single-character edits (insert, delete, replace, swap of neighbours) from a to b. */
const editDistance = (a: string, b: string): number => {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => {
    const row = new Array<number>(b.length + 1).fill(0);
    row[0] = i;
    return row;
  });
  for (let j = 0; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, rows[i - 1]![j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, rows[i - 2]![j - 2]! + 1);
      }
      rows[i]![j] = best;
    }
  }
  return rows[a.length]![b.length]!;
};

/**
 * The known name closest to a mistyped one, or undefined when none is close enough to suggest.
 *
 * @example
 * didYouMean('chronos-blot', ['chronos-bolt', 'timesfm']); // 'chronos-bolt'
 */
export const didYouMean = (typed: string, known: Iterable<string>): string | undefined => {
  const wanted = typed.toLowerCase();
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const candidate = name.toLowerCase();
    const distance =
      wanted.length >= 3 && (candidate.startsWith(wanted) || candidate.includes(wanted))
        ? 0.5
        : editDistance(wanted, candidate);
    if (!best || distance < best.distance) best = { name, distance };
  }
  if (!best) return undefined;
  return best.distance <= Math.max(1, Math.floor(typed.length / 3)) ? best.name : undefined;
};
