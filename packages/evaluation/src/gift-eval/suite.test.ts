import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inProcessBackend } from '@tollama/session/backend/in-process';
import { loadStatistics, resetSessionMetrics } from '@tollama/session/pool/load-metrics';
import { ModelPool } from '@tollama/session/pool/model-pool';
import { expect, test } from 'vitest';
import { suiteReport } from '../report/suite-report.ts';
import { testFolder, writeStore } from '../testing/synthetic-store.ts';
import { GIFT_EVAL_CONFIGURATIONS } from './data-sets.ts';
import { RESULT_COLUMNS, readResultsCsv } from './results-csv.ts';
import { runSuite } from './suite.ts';
import { lastLine, summarize } from './summary.ts';

const few = GIFT_EVAL_CONFIGURATIONS.filter(({ name }) => name.startsWith('ett1'));

const lazyPool = (models: readonly string[]) =>
  new ModelPool({ adapters: models, allowLazyLoadOnMiss: true, backend: inProcessBackend() });

test('all 97 configurations: 97 rows of 15 columns, each model loaded once', async () => {
  resetSessionMetrics();
  await using folder = await testFolder();
  await writeStore(folder.path);
  await using pool = lazyPool(['naive', 'drift']);
  const suite = await runSuite({
    dataFolder: folder.path,
    outputFolder: join(folder.path, 'out'),
    models: ['naive', 'drift'],
    pool,
  });
  const own = await readFile(join(folder.path, 'out/naive/all_results.csv'), 'utf8');
  const lines = own.trimEnd().split('\n');
  expect(lines[0]!.split(',')).toEqual(RESULT_COLUMNS);
  expect(lines).toHaveLength(98);
  for (const line of lines) expect(line.split(',')).toHaveLength(15);
  const names = readResultsCsv(own, 'all_results.csv').map(({ configuration }) => configuration);
  expect(names).toEqual(GIFT_EVAL_CONFIGURATIONS.map(({ name }) => name));
  expect(loadStatistics().per_adapter).toMatchObject({
    naive: { load_count: 1 },
    drift: { load_count: 1 },
  });
  expect(lastLine(summarize(suite))).toMatch(
    /^geometric mean relative to seasonal naive over 97 configurations: naive MASE \d\.\d{4} CRPS \d/,
  );
});

test('cut off in the middle, it goes on and ends with the same files', async () => {
  await using folder = await testFolder();
  await writeStore(folder.path, few);
  const run = async (name: string, signal?: AbortSignal, stop?: (done: number) => void) => {
    await using pool = lazyPool(['theta']);
    return runSuite({
      dataFolder: folder.path,
      outputFolder: join(folder.path, name),
      models: ['theta'],
      pool,
      ...(signal && { signal }),
      onProgress: ({ done }) => stop?.(done),
    });
  };
  const whole = await run('whole');
  const cut = new AbortController();
  await expect(
    run('cut', cut.signal, (done) => done === few.length + 3 && cut.abort()),
  ).rejects.toThrow();
  expect(await readdir(join(folder.path, 'cut'))).not.toContain('all_results.csv');
  const resumed = await run('cut');
  expect(resumed.reused).toBe(few.length + 3);
  for (const file of ['all_results.csv', 'theta/all_results.csv', 'theta/config.json']) {
    const [a, b] = await Promise.all(
      ['whole', 'cut'].map((name) => readFile(join(folder.path, name, file))),
    );
    expect(b!.equals(a!), file).toBe(true);
  }
  expect(suiteReport(resumed)).toBe(suiteReport(whole));
});

test('a result of other data does not count, nor does a damaged one', async () => {
  await using folder = await testFolder();
  await writeStore(folder.path, few.slice(0, 2));
  const run = async () => {
    await using pool = lazyPool(['naive']);
    const outputFolder = join(folder.path, 'out');
    return runSuite({ dataFolder: folder.path, outputFolder, models: ['naive'], pool });
  };
  await run();
  await writeFile(join(folder.path, 'out/naive/configurations/ett1_15T_short.json'), '{"finger');
  expect((await run()).reused).toBe(3);
  await writeFile(
    join(folder.path, 'ett1_15T.csv.gz'),
    `item_id,start,freq,target\na,2024-01-01,15T,${Array.from({ length: 80 }, (_, t) => t % 9).join(';')}\n`,
  );
  expect((await run()).reused).toBe(0);
});

test('results of other weights under the same name do not count', async () => {
  await using folder = await testFolder();
  await writeStore(folder.path, few.slice(0, 2));
  const run = async (weights: string | null) => {
    const backend = { ...inProcessBackend(), identityOf: async () => weights };
    await using pool = new ModelPool({ adapters: ['naive'], allowLazyLoadOnMiss: true, backend });
    const outputFolder = join(folder.path, 'out');
    return runSuite({ dataFolder: folder.path, outputFolder, models: ['naive'], pool });
  };
  await run('first');
  expect((await run('first')).reused).toBe(4);
  // The baseline's stay.
  expect((await run('second')).reused).toBe(2);
});

test('the report stands alone and escapes names', async () => {
  await using folder = await testFolder();
  await writeStore(folder.path, few);
  await using pool = lazyPool(['naive']);
  const outputFolder = join(folder.path, 'out');
  const suite = await runSuite({ dataFolder: folder.path, outputFolder, models: ['naive'], pool });
  const renamed = { ...suite, models: [{ ...suite.models[0]!, model: '<b>"x"' }] };
  const html = suiteReport(renamed);
  expect(html).toContain('<svg');
  expect(html).not.toMatch(/<script|https?:|<b>/);
});

test('an unknown configuration is refused with the nearest name', async () => {
  await using folder = await testFolder();
  await writeStore(folder.path, few);
  await using pool = lazyPool(['naive']);
  const outputFolder = join(folder.path, 'out');
  const asked = { dataFolder: folder.path, outputFolder, models: ['naive'], pool };
  await expect(runSuite({ ...asked, configurations: ['ett1/15T/shrt'] })).rejects.toMatchObject({
    hint: "did you mean 'ett1/15T/short'?",
  });
});
