/** Long frames for tests: daily, with a weekly shape. */
import type { FrameRow } from '../frame/frame.ts';

const dayAt = (t: number): string => new Date(Date.UTC(2024, 0, 1 + t)).toISOString().slice(0, 10);

export const exampleRows = (ids: readonly string[] = ['a', 'b'], length = 120): FrameRow[] =>
  ids.flatMap((id, s) =>
    Array.from({ length }, (_, t) => ({
      unique_id: id,
      ds: dayAt(t),
      y: 10 + s + 3 * Math.sin((2 * Math.PI * t) / 7) + 0.2 * Math.sin(t * t),
    })),
  );
