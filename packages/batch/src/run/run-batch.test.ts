import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ForecastBody } from '@tollama/client';
import { CovariateSupport } from '@tollama/core/capabilities';
import { afterAll, expect, test } from 'vitest';
import { startFakeDaemon } from '../testing/fake-daemon.ts';
import { startFakeS3 } from '../testing/fake-s3.ts';
import { panelRows, writePanel } from '../testing/panel-file.ts';
import type { BatchOptions } from './batch-options.ts';
import { runBatch } from './run-batch.ts';
import { batchStatus } from './run-status.ts';

const folder = mkdtempSync(join(tmpdir(), 'tollama-batch-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERIES = 132;
const rows = panelRows(SERIES);
const panel = writePanel(join(folder, 'panel.csv'), rows);

const EVERYTHING = CovariateSupport.parse({
  ...{ past_covariates_numeric: true, past_covariates_categorical: true },
  ...{ future_covariates_numeric: true, future_covariates_categorical: true },
  static_covariates: true,
});

let outputs = 0;
const never = new AbortController().signal;

const optionsFor = (options: Partial<BatchOptions> = {}): BatchOptions => ({
  inputs: [panel],
  output: join(folder, `out-${outputs++}`),
  settings: {
    ...{ model: 'seasonal-naive', horizon: 3, quantiles: [0.1, 0.9], freq: 'auto' },
    options: {},
  },
  chunk: { series: 1, points: 10_000 },
  workers: 1,
  signal: never,
  ...options,
});

/** Names and bytes of what a user sees of a run. */
const filesOf = (output: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(output)
      .filter((name) => name !== '_tollama')
      .map((name) => [name, readFileSync(join(output, name)).toString('base64')]),
  );

const readParquet = async (output: string): Promise<Record<string, unknown>[]> => {
  const { parquetReadObjects } = await import('hyparquet');
  const parts = readdirSync(output).filter((name) => name.endsWith('.parquet'));
  const read = parts.toSorted().map((name) => {
    const bytes = Uint8Array.from(readFileSync(join(output, name)));
    return parquetReadObjects({ file: bytes.buffer });
  });
  return (await Promise.all(read)).flat();
};

/** What every other run must give, byte for byte. */
const undisturbed = (() => {
  let made: Promise<Record<string, string>> | undefined;
  return () => {
    made ??= (async () => {
      const options = optionsFor();
      await runBatch(options);
      return filesOf(options.output);
    })();
    return made;
  };
})();

test('every series has a row for each step', async () => {
  const options = optionsFor();
  const summary = await runBatch(options);
  expect(summary).toMatchObject({ series: SERIES, failed: 0, rows: 3 * SERIES, parts: 3 });
  const found = await readParquet(options.output);
  expect(found).toHaveLength(3 * SERIES);
  expect(new Set(found.map(({ unique_id }) => unique_id)).size).toBe(SERIES);
  expect(found[0]).toMatchObject({ unique_id: 's0000', ds: new Date('2024-01-31T00:00:00Z') });
  expect(Object.keys(found[0]!)).toEqual([
    ...['unique_id', 'ds', 'seasonal-naive', 'seasonal-naive-q-10', 'seasonal-naive-q-90'],
  ]);
  expect(readdirSync(options.output)).toContain('errors.ndjson');
  expect(await batchStatus(options.output)).toMatchObject({ state: 'done', parts: 3 });
});

test('two workers and a shuffled panel give the same bytes', async () => {
  const shuffled = rows.toSorted((a, b) => (a.slice(6) < b.slice(6) ? -1 : 1));
  const inputs = [writePanel(join(folder, 'shuffled.csv'), shuffled)];
  const options = optionsFor({ inputs, workers: 2 });
  await runBatch(options);
  expect(filesOf(options.output)).toEqual(await undisturbed());
});

test('a run that was stopped goes on, and gives the same bytes', async () => {
  const stop = new AbortController();
  const settings = { ...optionsFor().settings, model: 'fake' };
  await using daemon = await startFakeDaemon((count) => {
    if (count === 80) stop.abort(new Error('stopped'));
  });
  const { baseUrl } = daemon;
  const options = optionsFor({ settings, baseUrl });
  await expect(runBatch({ ...options, signal: stop.signal })).rejects.toThrow('stopped');
  expect(await batchStatus(options.output)).toMatchObject({ state: 'interrupted', parts: 1 });
  const summary = await runBatch({ ...options, mustResume: true });
  expect(summary).toMatchObject({ series: SERIES, resumed: 64 });
  // The chunk at hand when it stopped may have been asked for again.
  expect(daemon.requests).toBeLessThanOrEqual(SERIES + 2);
  const whole = optionsFor({ settings, baseUrl });
  await runBatch(whole);
  expect(filesOf(options.output)).toEqual(filesOf(whole.output));
  expect(await runBatch(options)).toMatchObject({ series: SERIES, resumed: SERIES });
});

test('killed workers lose nothing and double nothing', async () => {
  const settings = { ...optionsFor().settings, model: 'fake' };
  let pids: () => readonly number[] = () => [];
  const kills = new Set([20, 50, 90]);
  await using daemon = await startFakeDaemon((count) => {
    if (kills.has(count)) for (const pid of pids().slice(0, 1)) process.kill(pid, 'SIGKILL');
  });
  const { baseUrl } = daemon;
  const options = optionsFor({ settings, baseUrl, workers: 2, leaseMs: 500 });
  const summary = await runBatch({
    ...options,
    onWorkers: (workers) => {
      pids = () => workers.pids;
    },
  });
  expect(summary).toMatchObject({ series: SERIES, failed: 0, rows: 3 * SERIES });
  const quiet = optionsFor({ settings, baseUrl });
  await runBatch(quiet);
  expect(filesOf(options.output)).toEqual(filesOf(quiet.output));
});

test('series that cannot be forecast end in the errors file, each with its reason', async () => {
  const inputs = [
    writePanel(join(folder, 'odd.csv'), [
      ...['b,2024-01-01,1', 'b,2024-02-01,2', 'b,2024-03-01,', 'b,2024-04-01,4'],
      ...['twice,2024-01-01,1', 'twice,2024-01-01,2', 'one,2024-01-01,1'],
      ...['word,2024-01-01,x', 'word,2024-01-02,1', 'untimed,,1', ',2024-01-01,1'],
      ...['empty,2024-01-01,', 'empty,2024-01-02,NA'],
    ]),
  ];
  const options = optionsFor({ inputs, chunk: { series: 4, points: 1000 } });
  expect(await runBatch(options)).toMatchObject({ series: 6, failed: 5, rows: 3 });
  const errors = readFileSync(join(options.output, 'errors.ndjson'), 'utf8').trim().split('\n');
  const reasons = errors.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(reasons.map(({ unique_id, message }) => [unique_id, message])).toEqual([
    ['empty', 'no value is observed'],
    ['one', "freq 'auto' cannot be inferred: a single timestamp ('2024-01-01') has no step"],
    ['twice', 'two rows have the time 2024-01-01'],
    ['untimed', 'the time of a row is missing or cannot be read'],
    ['word', 'the value at 2024-01-01 is not a finite number'],
    [null, '1 rows have no id'],
  ]);
  expect(await readParquet(options.output)).toMatchObject([
    { unique_id: 'b', ds: new Date('2024-05-01T00:00:00Z') },
    { unique_id: 'b', ds: new Date('2024-06-01T00:00:00Z') },
    { unique_id: 'b', ds: new Date('2024-07-01T00:00:00Z') },
  ]);
});

test('a panel on S3 is fetched, forecast as a local one and not kept', async () => {
  const objects = { 'daily/panel.csv': Uint8Array.from(readFileSync(panel)) };
  const keys = { id: 'id', secret: 'secret' };
  await using s3 = await startFakeS3({ objects, keys });
  const inputs = ['s3://panels/daily/*.csv'];
  const env = { AWS_ENDPOINT_URL: s3.endpoint, AWS_ACCESS_KEY_ID: 'id' };
  const options = optionsFor({ inputs, env: { ...env, AWS_SECRET_ACCESS_KEY: 'secret' } });
  await runBatch(options);
  expect(filesOf(options.output)).toEqual(await undisturbed());
  expect(readdirSync(join(options.output, '_tollama'))).not.toContain('staging');
  const asked = s3.requests.length;
  expect(await runBatch(options)).toMatchObject({ resumed: SERIES });
  expect(s3.requests).toHaveLength(asked + 1);
  await expect(runBatch({ ...options, output: 's3://panels/out' })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
});

test('covariates reach the model, step by step; what misses one is left out', async () => {
  const header = 'unique_id,ds,y,promo,sky,shop';
  const days = [1, 2, 3, 4].map((t) => `2024-01-0${t}`);
  const history = ['a', 'b'].flatMap((id) =>
    days.map((ds, t) => `${id},${ds},${t},${t},sun,s${id}`),
  );
  const known = join(folder, 'covariates.csv');
  writeFileSync(
    known,
    `${header}\n${history.filter((row) => !row.startsWith('b,2024-01-02')).join('\n')}\n`,
  );
  const future = join(folder, 'future.csv');
  const ahead = ['a', 'b'].flatMap((id) => [5, 6, 7].map((t) => `${id},2024-01-0${t},${t},rain`));
  writeFileSync(future, `unique_id,ds,promo,sky\n${ahead.join('\n')}\n`);
  const bodies: ForecastBody[] = [];
  await using daemon = await startFakeDaemon((_, body) => void bodies.push(body));
  const options = optionsFor({
    ...{ inputs: [known], future: [future], chunk: { series: 10, points: 1000 } },
    settings: { ...optionsFor().settings, model: 'fake', freq: 'D' },
    covariates: { static: ['shop'] },
    support: { family: 'f', support: EVERYTHING },
    baseUrl: daemon.baseUrl,
  });
  expect(await runBatch(options)).toMatchObject({ series: 2, failed: 1, rows: 3 });
  expect(bodies[0]!.parameters).toMatchObject({ covariates_mode: 'strict' });
  expect(bodies[0]!.series).toMatchObject([
    {
      target: [0, 1, 2, 3],
      past_covariates: { promo: [0, 1, 2, 3], sky: ['sun', 'sun', 'sun', 'sun'] },
      future_covariates: { promo: [5, 6, 7], sky: ['rain', 'rain', 'rain'] },
      static_covariates: { shop: 'sa' },
    },
  ]);
  expect(JSON.parse(readFileSync(join(options.output, 'errors.ndjson'), 'utf8'))).toEqual({
    unique_id: 'b',
    code: 'INVALID_INPUT',
    message: "covariate 'promo' has no value at 2024-01-02; 1 of 4 steps miss one",
  });
  const none = runBatch({ ...options, support: undefined, output: join(folder, 'no-support') });
  await expect(none).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
});

test('whole numbers stay whole numbers, as ids and as times', async () => {
  const path = join(folder, 'numbers.csv');
  const lines = [2, 10, 1].flatMap((id) => [1, 2, 3, 4].map((t) => `${id},${t},${id * t}`));
  writeFileSync(path, `unique_id,ds,y\n${lines.join('\n')}\n`);
  const settings = { ...optionsFor().settings, model: 'drift', horizon: 1 };
  const options = optionsFor({ inputs: [path], settings });
  await runBatch(options);
  const found = await readParquet(options.output);
  expect(found.map(({ unique_id, ds, drift }) => [unique_id, ds, drift])).toEqual([
    [1n, 5n, 5],
    [2n, 5n, 10],
    [10n, 5n, 50],
  ]);
});

test('a folder with another run, or with one at work, is refused', async () => {
  const options = optionsFor({ chunk: { series: 100, points: 10_000 } });
  await expect(runBatch({ ...options, mustResume: true })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  let second: Promise<unknown> | undefined;
  const onWorkers = () => {
    second ??= runBatch(options).catch((error: unknown) => error);
  };
  await runBatch({ ...options, onWorkers });
  expect(await second).toMatchObject({ code: 'BUSY' });
  const other = { ...options, settings: { ...options.settings, horizon: 4 } };
  await expect(runBatch(other)).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  expect(await runBatch({ ...other, isFresh: true })).toMatchObject({ rows: 4 * SERIES });
});

test('a model that is not there stops the run, which can go on', async () => {
  const settings = { ...optionsFor().settings, model: 'fake' };
  const options = optionsFor({ settings, chunk: { series: 100, points: 10_000 } });
  const away = runBatch({ ...options, baseUrl: 'http://127.0.0.1:9' });
  await expect(away).rejects.toMatchObject({ code: 'DAEMON_UNREACHABLE' });
  await using daemon = await startFakeDaemon();
  const summary = await runBatch({ ...options, baseUrl: daemon.baseUrl });
  expect(summary).toMatchObject({ series: SERIES, failed: 0 });
});

test('inputs that are no panel are refused by name', async () => {
  const missing = optionsFor({ inputs: [join(folder, 'missing.parquet')] });
  await expect(runBatch(missing)).rejects.toMatchObject({
    code: 'INVALID_INPUT',
    message: expect.stringContaining('missing.parquet'),
  });
  await expect(runBatch(optionsFor({ inputs: ['panel.xlsx'] }))).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
  });
  const settings = { ...optionsFor().settings, freq: 'fortnight' };
  await expect(runBatch(optionsFor({ settings }))).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('fortnight'),
  });
});
