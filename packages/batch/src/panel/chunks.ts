/** Cuts a panel into chunks, by what is in it alone: the same panel gives the same chunks each time. */
import { contentHash } from '@tollama/queue';
import { encodePanelBlock, type PanelSeries, type TimeKind } from '../block/panel-block.ts';

export interface PanelChunk {
  readonly bytes: Uint8Array;
  readonly hash: string;
  readonly series: number;
  readonly lastId: string;
}

export interface ChunkSize {
  readonly series: number;
  /** A chunk of long series has fewer of them. */
  readonly points: number;
}

const toChunk = (kind: TimeKind, series: readonly PanelSeries[]): PanelChunk => {
  const bytes = encodePanelBlock({ kind, series });
  return { bytes, hash: contentHash(bytes), series: series.length, lastId: series.at(-1)!.id };
};

export async function* chunksOf(
  panel: AsyncIterable<PanelSeries>,
  kind: TimeKind,
  size: ChunkSize,
): AsyncGenerator<PanelChunk> {
  let series: PanelSeries[] = [];
  let points = 0;
  for await (const one of panel) {
    if (series.length > 0 && points + one.values.length > size.points) {
      yield toChunk(kind, series);
      [series, points] = [[], 0];
    }
    series.push(one);
    points += one.values.length;
    if (series.length === size.series) {
      yield toChunk(kind, series);
      [series, points] = [[], 0];
    }
  }
  if (series.length > 0) yield toChunk(kind, series);
}
