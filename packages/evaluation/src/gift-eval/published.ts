/** Published scores beside a folder's data: `config,model,...,mase,crps,...`. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScoreTable } from './leaderboard.ts';

/** Scores by model and configuration; empty where the folder has no published.csv. Leaked models are left out. */
export const readPublished = async (folder: string): Promise<ScoreTable> => {
  const text = await readFile(join(folder, 'published.csv'), 'utf8').catch(() => '');
  const [header = '', ...lines] = text.split(/\r?\n/).filter((line) => line !== '');
  const names = header.split(',');
  const [config, model, mase, crps, leak] = ['config', 'model', 'mase', 'crps', 'leak'].map(
    (name) => names.indexOf(name),
  );
  if ([config, model, mase, crps].some((at) => at === undefined || at < 0)) return {};
  const table: Record<string, Record<string, { mase: number; crps: number }>> = {};
  for (const line of lines) {
    const cells = line.split(',');
    if (cells.length !== names.length || cells[leak ?? -1] === 'Yes') continue;
    const score = { mase: Number(cells[mase!]), crps: Number(cells[crps!]) };
    if (!(score.mase > 0 && score.crps > 0)) continue;
    const name = cells[model!]!;
    table[name] = { ...table[name], [cells[config!]!]: score };
  }
  return table;
};
