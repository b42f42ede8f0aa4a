/** A folder of evaluation data as tests need it: every configuration of the benchmark, short series. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { GIFT_EVAL_CONFIGURATIONS, type GiftEvalConfiguration } from '../gift-eval/data-sets.ts';

export interface TestFolder extends AsyncDisposable {
  readonly path: string;
}

export const testFolder = async (): Promise<TestFolder> => {
  const path = await mkdtemp(join(tmpdir(), 'tollama-evaluation-'));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
};

const wave = (length: number, series: number): string =>
  Array.from({ length }, (_, t) =>
    t % 17 === 5 ? '' : (20 + series + 5 * Math.sin(t / 3) + ((t * 7 + series) % 5)).toFixed(3),
  ).join(';');

/** Writes configs.json and a data file for each configuration; windows and horizons are kept small. */
export const writeStore = async (
  folder: string,
  configurations: readonly GiftEvalConfiguration[] = GIFT_EVAL_CONFIGURATIONS,
): Promise<void> => {
  const entries: Record<string, unknown> = {};
  for (const { name, freq, domain, variates, term } of configurations) {
    const file = `${name.split('/').slice(0, 2).join('_')}.csv.gz`;
    const rows = [0, 1].map((s) => `item${s},2024-01-01,${freq},${wave(60 + 3 * s, s)}`);
    await writeFile(
      join(folder, file),
      gzipSync(`item_id,start,freq,target\n${rows.join('\n')}\n`),
    );
    entries[name] = { file, freq, term, horizon: 6, windows: 2, domain, variates };
  }
  await writeFile(join(folder, 'configs.json'), JSON.stringify(entries));
};
