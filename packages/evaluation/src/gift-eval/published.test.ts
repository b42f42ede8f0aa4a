import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPublished } from './published.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollama-published-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const published = async (...lines: readonly string[]) => {
  await writeFile(join(folder, 'published.csv'), lines.join('\n'));
  return readPublished(folder);
};

test('scores are read by the names of the columns, in any order and among others', async () => {
  const table = await published(
    'crps,model,extra,mase,config',
    '0.5,a,x,0.9,m4_hourly/H/short',
    '0.6,a,x,1.1,solar/D/short',
    '0.7,b,x,1.2,solar/D/short',
  );
  expect(table).toEqual({
    a: {
      'm4_hourly/H/short': { mase: 0.9, crps: 0.5 },
      'solar/D/short': { mase: 1.1, crps: 0.6 },
    },
    b: { 'solar/D/short': { mase: 1.2, crps: 0.7 } },
  });
});

test('leaked models, lines that are cut and scores that are not positive are left out', async () => {
  const table = await published(
    'config,model,mase,crps,leak',
    'c,clean,1,1,No',
    'c,leaked,1,1,Yes',
    'c,cut,1',
    'c,zero,0,1,No',
    'c,nothing,1,,No',
  );
  expect(Object.keys(table)).toEqual(['clean']);
});

test.each(['config', 'model', 'mase', 'crps'])(
  'without the column %s there is no table',
  async (gone) => {
    const names = ['config', 'model', 'mase', 'crps'];
    const header = names.map((name) => (name === gone ? 'other' : name)).join(',');
    expect(await published(header, 'c,m,1,1')).toEqual({});
  },
);

test('a folder without the file has no table', async () => {
  expect(await readPublished(folder)).toEqual({});
});
