/** Cuts a panel into chunks, by what is in it alone: the same panel gives the same chunks each time. */
import { contentHash } from '@tollama/queue';
import {
  type CovariateName,
  encodePanelBlock,
  type PanelSeries,
  type TimeKind,
} from '../block/panel-block.ts';

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

export interface PanelFacts {
  readonly kind: TimeKind;
  readonly covariates: readonly CovariateName[];
}

const toChunk = (facts: PanelFacts, series: readonly PanelSeries[]): PanelChunk => {
  const bytes = encodePanelBlock({ ...facts, series });
  return { bytes, hash: contentHash(bytes), series: series.length, lastId: series.at(-1)!.id };
};

/** Numbers of a series, those of covariates too. */
const sizeOf = ({ values, covariates }: PanelSeries): number =>
  values.length + (covariates?.columns.reduce((sum, { length }) => sum + length, 0) ?? 0);

/** The chunks of a panel in its order; a series of more points than `size.points` is a chunk by itself. */
export async function* chunksOf(
  panel: AsyncIterable<PanelSeries>,
  facts: PanelFacts,
  size: ChunkSize,
): AsyncGenerator<PanelChunk> {
  let series: PanelSeries[] = [];
  let points = 0;
  for await (const one of panel) {
    if (series.length > 0 && points + sizeOf(one) > size.points) {
      yield toChunk(facts, series);
      [series, points] = [[], 0];
    }
    series.push(one);
    points += sizeOf(one);
    if (series.length === size.series) {
      yield toChunk(facts, series);
      [series, points] = [[], 0];
    }
  }
  if (series.length > 0) yield toChunk(facts, series);
}
