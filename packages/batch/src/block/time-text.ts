import type { TimeKind } from './panel-block.ts';

/** ISO 8601, with as much of the clock as it takes. */
export const timeText = (time: number, kind: TimeKind): string => {
  if (kind === 'index') return String(time);
  const iso = new Date(Math.floor(time / 1000)).toISOString();
  const micros = ((time % 1_000_000) + 1_000_000) % 1_000_000;
  if (micros !== 0) return `${iso.slice(0, 19)}.${String(micros).padStart(6, '0')}`;
  return iso.endsWith('T00:00:00.000Z') ? iso.slice(0, 10) : iso.slice(0, 19);
};
