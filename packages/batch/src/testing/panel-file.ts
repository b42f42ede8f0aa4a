/** Small panels as CSV. */
import { writeFileSync } from 'node:fs';

const day = (at: number): string =>
  new Date(Date.UTC(2024, 0, 1) + at * 86_400_000).toISOString().slice(0, 10);

/** Rows of regular daily series of unequal lengths; the same arguments give the same rows. */
export const panelRows = (series: number, points = 30): string[] =>
  Array.from({ length: series }, (_, s) =>
    Array.from({ length: points + (s % 5) }, (_, t) => {
      const value = 10 + s + 3 * Math.sin((2 * Math.PI * t) / 7) + ((s * 7919 + t * 104_729) % 13);
      return `s${String(s).padStart(4, '0')},${day(t)},${value.toFixed(3)}`;
    }),
  ).flat();

export const writePanel = (path: string, rows: readonly string[]): string => {
  writeFileSync(path, `unique_id,ds,y\n${rows.join('\n')}\n`);
  return path;
};
