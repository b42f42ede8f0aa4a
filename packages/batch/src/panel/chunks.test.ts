import { expect, test } from 'vitest';
import { decodePanelBlock, type PanelSeries } from '../block/panel-block.ts';
import { chunksOf } from './chunks.ts';

const FACTS = { kind: 'index', covariates: [] } as const;

async function* panelOf(...lengths: readonly number[]): AsyncGenerator<PanelSeries> {
  for (const [i, length] of lengths.entries()) {
    const times = Float64Array.from({ length }, (_, t) => t);
    yield { id: `s${i}`, times, values: new Float64Array(length) };
  }
}

/** Lengths of the series of each chunk. */
const cut = async (lengths: readonly number[], size: { series: number; points: number }) => {
  const chunks: number[][] = [];
  for await (const { bytes, series, lastId } of chunksOf(panelOf(...lengths), FACTS, size)) {
    const block = decodePanelBlock(bytes);
    expect(block.series).toHaveLength(series);
    expect(block.series.at(-1)!.id).toBe(lastId);
    chunks.push(block.series.map(({ values }) => values.length));
  }
  return chunks;
};

test('a chunk ends by the number of its series or by that of its points', async () => {
  expect(await cut([5, 5, 5, 5, 5], { series: 2, points: 100 })).toEqual([[5, 5], [5, 5], [5]]);
  expect(await cut([5, 5, 5, 1], { series: 9, points: 10 })).toEqual([
    [5, 5],
    [5, 1],
  ]);
});

test('a series that is longer than a chunk is one by itself, wherever it stands', async () => {
  expect(await cut([50, 5, 50, 50, 5], { series: 9, points: 10 })).toEqual([
    [50],
    [5],
    [50],
    [50],
    [5],
  ]);
});

test('an empty panel has no chunk', async () => {
  expect(await cut([], { series: 9, points: 10 })).toEqual([]);
});
