import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts';

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon({ TOLLAMA_MAX_REQUEST_BODY_MB: '1' });
  await at.call('POST', '/api/pull', { model: 'mock', stream: false });
});
afterAll(() => at[Symbol.asyncDispose]());

const csv = `date;series;value;price;unit\n${['a', 'b']
  .flatMap((id) => [1, 2, 3, 4].map((day) => `2024-01-0${day};${id};${day},5;${day};D`))
  .join('\n')}\n`;

/** What the answers hold, as far as the tests look. */
interface Answer {
  readonly filename: string;
  readonly detail: unknown;
  readonly series: { readonly id: string; readonly target: number[] }[];
  readonly forecasts: { readonly mean: number[] }[];
  readonly preprocessing: { readonly series: unknown[] } & unknown[];
}

const upload = async (
  path: string,
  fields: Readonly<Record<string, string>> = {},
  content: string | Uint8Array<ArrayBuffer> = csv,
  name = 'sales.csv',
) => {
  const form = new FormData();
  form.set('file', new File([content], name));
  for (const [field, value] of Object.entries(fields)) form.set(field, value);
  const response = await fetch(`${at.url}${path}`, { method: 'POST', body: form });
  return { status: response.status, body: (await response.json()) as Answer };
};

describe('/api/ingest/upload', () => {
  test('reads series with their frequency', async () => {
    const { body } = await upload('/api/ingest/upload');
    expect(body.filename).toBe('sales.csv');
    expect(body.series).toMatchObject([
      { id: 'a', freq: 'D', target: [1.5, 2.5, 3.5, 4.5] },
      { id: 'b', freq: 'D' },
    ]);
    expect(body.series[0]).not.toHaveProperty('past_covariates');
    expect(body).not.toHaveProperty('preprocessing');
  });

  test('fields choose columns, covariates and frequency', async () => {
    const fields = {
      target_column: 'price',
      covariate_columns: 'value, unit',
      freq_column: 'unit',
    };
    const { body } = await upload('/api/ingest/upload', fields);
    expect(body.series[0]).toMatchObject({
      freq: 'D',
      target: [1, 2, 3, 4],
      past_covariates: { value: [1.5, 2.5, 3.5, 4.5], unit: ['D', 'D', 'D', 'D'] },
    });
  });

  test('missing values are told by their places, or repaired', async () => {
    const holed = 'ds,y\n2024-01-01,1\n2024-01-02,\n2024-01-03,3\n2024-01-04,4\n2024-01-06,6\n';
    const plain = await upload('/api/ingest/upload', { freq: 'D' }, holed);
    expect(plain.body.series[0]).toMatchObject({ missing_indices: [1], target: [1, 0, 3, 4, 6] });
    const fields = { missing_method: 'linear', missing_max_ratio: '0.5', freq: 'D' };
    const { body } = await upload('/api/ingest/upload', fields, holed);
    expect(body.series[0]!.target).toEqual([1, 2, 3, 4, 5, 6]);
    expect(body.preprocessing[0]).toMatchObject({ imputed_point_count: 2, used_method: 'linear' });
  });

  test('JSON lines and bytes that are no table', async () => {
    const lines = '{"ds":"2024-01-01","y":1}\n{"ds":"2024-01-02","y":2}\n';
    expect(
      (await upload('/api/ingest/upload', {}, lines, 'x.jsonl')).body.series[0]!.target,
    ).toEqual([1, 2]);
    const bad = await upload('/api/ingest/upload', {}, Uint8Array.of(0, 1, 2, 255), 'x.csv');
    expect(bad.status).toBe(400);
    expect(bad.body.detail).toContain('x.csv');
  });

  test.each([
    [{ target_column: 'nope' }, "target_column: there is no column 'nope'"],
    [{ preprocess_missing: 'perhaps' }, 'preprocess_missing'],
    [{ missing_max_gap: 'x' }, 'missing_max_gap'],
    [{ missing_method: 'magic' }, 'method'],
    [{ bogus: '1' }, 'bogus'],
  ] as [Record<string, string>, string][])('refuses %j', async (fields, named) => {
    const { status, body } = await upload('/api/ingest/upload', fields);
    expect(status).toBe(400);
    expect(JSON.stringify(body.detail)).toContain(named);
  });

  test('a body that is no form, has no file, or is too large', async () => {
    const post = async (init: RequestInit) =>
      (await fetch(`${at.url}/api/ingest/upload`, { method: 'POST', ...init })).status;
    expect(await post({ body: '{}', headers: { 'content-type': 'application/json' } })).toBe(400);
    const empty = new FormData();
    empty.set('x', 'y');
    expect(await post({ body: empty })).toBe(400);
    const broken = { 'content-type': 'multipart/form-data; boundary=x' };
    expect(await post({ body: 'nothing', headers: broken })).toBe(400);
    expect((await upload('/api/ingest/upload', {}, 'x'.repeat(1_100_000))).status).toBe(413);
  });
});

describe('/api/forecast/upload', () => {
  test('forecasts each series of the table', async () => {
    const payload = JSON.stringify({ model: 'mock', horizon: 2 });
    const { body } = await upload('/api/forecast/upload', { payload });
    expect(body.forecasts.map(({ mean }) => mean)).toEqual([
      [4.5, 4.5],
      [4.5, 4.5],
    ]);
  });

  test('a modelfile fills in the rest', async () => {
    const profile = { model: 'mock', horizon: 1, preprocessing: { missing: { enabled: true } } };
    await at.call('POST', '/api/modelfiles', { name: 'p', profile });
    const payload = JSON.stringify({ modelfile: 'p' });
    const { body } = await upload('/api/forecast/upload', { payload });
    expect(body.preprocessing.series).toHaveLength(2);
    expect(body.forecasts[0]!.mean).toEqual([4.5]);
  });

  test.each([
    ['{"model": "mock"', 400],
    ['[]', 400],
    ['{"model": "mock", "horizon": 2, "series": []}', 400],
    ['{"model": "mock", "horizon": 2, "data_url": "x"}', 400],
    ['{"model": "mock", "horizon": 0}', 400],
    ['{"model": "nope", "horizon": 2}', 404],
    ['{"modelfile": "nope"}', 404],
    ['{"modelfile": 3}', 400],
  ])('payload %s is refused', async (payload, status) => {
    expect((await upload('/api/forecast/upload', { payload })).status).toBe(status);
  });
});
