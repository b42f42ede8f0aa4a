/** The MCP server as a language model's host sees it: over a child's streams and over HTTP, a real daemon behind. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, type Progress, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { TollamaClient } from '@tollama/client';
import { serveOverHttp } from '@tollama/mcp';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestDaemon } from '../packages/daemon/src/testing/test-daemon.ts';
import {
  type Connection,
  call,
  days,
  disposing,
  series,
  startMcpDaemon,
  weekly,
} from './mcp-daemon.ts';

const PROGRAM = resolve(import.meta.dirname, '../packages/cli/bin/tollama.mjs');

let daemon: TestDaemon;
let data: string;

beforeAll(async () => {
  daemon = await startMcpDaemon();
  data = await mkdtemp(join(tmpdir(), 'tollama-mcp-'));
  const rows = days(70).map((day, i) => `${day},${weekly(70)[i]}`);
  await writeFile(join(data, 'daily sales.csv'), ['ds,y', ...rows].join('\n'));
  await writeFile(join(data, 'notes.md'), 'not a table');
});

afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  await rm(data, { recursive: true, force: true });
});

const overStdio = async (mode: 'auto' | 'legacy'): Promise<Connection> => {
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: [PROGRAM, 'mcp', '--base-url', daemon.url, '--data', data],
    }),
  );
  return { client, [Symbol.asyncDispose]: () => client.close() };
};

const overHttp = async (mode: 'auto' | 'legacy'): Promise<Connection> => {
  const server = await serveOverHttp({
    host: '127.0.0.1',
    port: 0,
    connect: (apiKey) => new TollamaClient({ baseUrl: daemon.url, apiKey }),
    datasets: {
      list: async () => [{ name: 'daily sales.csv', sizeBytes: 1 }],
      read: async () => [series(70)],
    },
  });
  const client = new Client({ name: 'test', version: '1' }, { versionNegotiation: { mode } });
  await client.connect(new StreamableHTTPClientTransport(new URL(server.url)));
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client.close();
      await server[Symbol.asyncDispose]();
    },
  };
};

const TOOLS = [
  'backtest',
  'compare_models',
  'describe_series',
  'detect_anomalies',
  'forecast',
  'list_models',
  'pull_model',
];

describe.each([
  ['stdio, 2026', () => overStdio('auto'), true],
  ['stdio, 2025', () => overStdio('legacy'), true],
  ['HTTP, 2026', () => overHttp('auto'), true],
  // Without sessions a cancellation of 2025 reaches nobody who knows the call.
  ['HTTP, 2025', () => overHttp('legacy'), false],
] as const)('%s', (_, connect, isCancellable) => {
  let connection: Connection;
  beforeAll(async () => {
    connection = await connect();
  });
  afterAll(() => connection[Symbol.asyncDispose]());

  test('every tool has schemas both ways and says what it does to the machine', async () => {
    const { tools } = await connection.client.listTools();
    expect(tools.map(({ name }) => name).toSorted()).toEqual(TOOLS);
    for (const tool of tools) {
      expect(tool.inputSchema).toMatchObject({ type: 'object' });
      expect(tool.outputSchema).toMatchObject({ type: 'object' });
      expect(tool.annotations?.readOnlyHint, tool.name).toBe(tool.name !== 'pull_model');
      expect(tool.annotations?.destructiveHint).toBe(false);
    }
  });

  test('models are listed and pulled', async () => {
    const { structuredContent } = await call(connection, 'list_models', { installed_only: true });
    const { models } = structuredContent as { models: { name: string; installed: boolean }[] };
    expect(models.map(({ name }) => name)).toEqual(expect.arrayContaining(['auto', 'mock']));
    expect(models.every(({ installed }) => installed)).toBe(true);
    const refused = await call(connection, 'pull_model', { model: 'strict' });
    expect(refused).toMatchObject({ isError: true });
    expect(refused.text).toContain('LICENSE_REQUIRED');
    const pulled = await call(connection, 'pull_model', { model: 'mock' });
    expect(pulled.structuredContent).toMatchObject({ model: 'mock', already_present: true });
  });

  test('a forecast is structured, told in words, kept as a resource and explained', async () => {
    const { client } = connection;
    const args = { model: 'seasonal-naive', series: [series()], horizon: 7 };
    const { structuredContent, text } = await call(connection, 'forecast', args);
    const { forecasts, run } = structuredContent as {
      forecasts: { mean: number[]; quantiles: object }[];
      run: string;
    };
    expect(forecasts[0]!.mean).toEqual(weekly(7));
    expect(Object.keys(forecasts[0]!.quantiles)).toEqual(['0.1', '0.5', '0.9']);
    expect(text).toContain('seasonal-naive forecast 7 steps of sales');
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toContain(run);
    const read = await client.readResource({ uri: run });
    const kept = JSON.parse((read.contents[0] as { text: string }).text);
    expect(kept.request).toMatchObject({ horizon: 7, series: [{ id: 'sales', points: 56 }] });
    expect(kept.response.forecasts[0].mean).toEqual(weekly(7));
    const { messages } = await client.getPrompt({ name: 'explain_forecast', arguments: { run } });
    expect(messages.at(-1)!.content).toMatchObject({ type: 'resource', resource: { uri: run } });
  });

  test('missing values, ids and timestamps may be left out', async () => {
    const target = [1, 2, null, 4, 5, 6, 7, 8];
    const { structuredContent } = await call(connection, 'forecast', {
      series: [{ target }, { target }],
      model: 'naive',
      horizon: 2,
    });
    const { forecasts } = structuredContent as { forecasts: { id: string; mean: number[] }[] };
    expect(forecasts.map(({ id }) => id)).toEqual(['series-1', 'series-2']);
    expect(forecasts[0]!.mean).toEqual([8, 8]);
  });

  test('a dataset is listed, read and used by name', async () => {
    const { client } = connection;
    const uri = 'dataset://daily%20sales.csv';
    const { resources } = await client.listResources();
    expect(resources.map((one) => one.uri)).toContain(uri);
    expect(resources.some(({ name }) => name === 'notes.md')).toBe(false);
    const read = await client.readResource({ uri });
    const overview = JSON.parse((read.contents[0] as { text: string }).text);
    expect(overview).toMatchObject({ series_count: 1, points: 70 });
    expect(overview.series[0].first[0]).toEqual(['2024-01-01', 100]);
    const { structuredContent } = await call(connection, 'describe_series', { dataset: uri });
    const [described] = (structuredContent as { series: Record<string, unknown>[] }).series;
    expect(described).toMatchObject({
      points: 70,
      missing: 0,
      frequency: 'D',
      minimum: 100,
      maximum: 160,
      mean: 130,
      median: 130,
      start: '2024-01-01',
    });
    expect(described!.season_lengths).toContain(7);
  });

  test('models are held against the seasonal naive forecast', async () => {
    const { structuredContent } = await call(connection, 'compare_models', {
      series: [series()],
      models: ['naive', 'no-such-model'],
      horizon: 7,
      windows: 2,
    });
    const { ranking, failures } = structuredContent as {
      ranking: { model: string; scores: { mae: number } }[];
      failures: { model: string; error: string }[];
    };
    expect(ranking.map(({ model }) => model)).toEqual(['seasonal-naive', 'naive']);
    expect(ranking[0]!.scores.mae).toBe(0);
    expect(failures).toMatchObject([{ model: 'no-such-model' }]);
  });

  test('a backtest counts every window of every series', async () => {
    const { structuredContent } = await call(connection, 'backtest', {
      series: [series(), { ...series(), id: 'other' }],
      model: 'mock',
      horizon: 7,
      windows: 3,
    });
    const { cutoffs, scores, baseline } = structuredContent as {
      cutoffs: { id: string; cutoff: string; scores: { mae: number } }[];
      scores: { mae: number };
      baseline: { scores: { mae: number } };
    };
    expect(cutoffs).toHaveLength(6);
    expect(cutoffs.map(({ cutoff }) => cutoff).slice(0, 3)).toEqual([
      '2024-02-04',
      '2024-02-11',
      '2024-02-18',
    ]);
    // The mock repeats the last value, a Sunday's 160; the week is 100 ... 160.
    expect(scores.mae).toBe(30);
    expect(baseline.scores.mae).toBe(0);
  });

  test('the value that nobody expects is found, and only that', async () => {
    const odd = { ...series(), target: weekly(56).map((value, i) => (i === 45 ? 400 : value)) };
    const { structuredContent } = await call(connection, 'detect_anomalies', {
      series: [odd],
      model: 'auto',
      detection_size: 14,
      horizon: 1,
    });
    const { anomalies } = structuredContent as { anomalies: { timestamp: string }[] };
    expect(anomalies[0]).toMatchObject({ id: 'sales', timestamp: '2024-02-15', value: 400 });
  });

  test.each([
    ['forecast', { series: [series()], model: 'no-such-model' }, 'MODEL_NOT_FOUND'],
    ['forecast', { model: 'auto' }, 'give either series or dataset'],
    ['forecast', { series: [{ target: [1, 2, 3] }], quantiles: [0.9, 0.1] }, 'ascending'],
    ['forecast', { series: [series()], horizon: 0 }, 'horizon'],
    ['forecast', { series: [series()], steps: 5 }, 'steps'],
    ['list_models', { installed: true }, 'installed'],
    ['backtest', { series: [series(5)], horizon: 7 }, 'too few'],
    ['backtest', { series: [{ target: Array(2000).fill(1) }], horizon: 1, windows: 51 }, 'windows'],
  ])('%s %# is refused in words', async (name, args, message) => {
    const answer = await call(connection, name, args);
    expect(answer.isError).toBe(true);
    expect(answer.text).toMatch(message);
  });

  test('too many rows are refused before anything runs', async () => {
    const target = Array.from({ length: 60_000 }, (_, i) => i);
    const answer = await call(connection, 'forecast', { series: [{ target }, { target }] });
    expect(answer).toMatchObject({ isError: true });
    expect(answer.text).toContain('120000 points are more than the 100000');
  });

  test('progress is told to those who ask', async () => {
    const told: Progress[] = [];
    await connection.client.callTool(
      {
        name: 'compare_models',
        arguments: { series: [series()], models: ['naive', 'drift'], horizon: 7 },
      },
      { onprogress: (progress) => told.push(progress) },
    );
    expect(told.length).toBeGreaterThan(0);
    expect(told.map(({ progress }) => progress)).toEqual(
      told.map(({ progress }) => progress).toSorted((a, b) => a - b),
    );
  });

  test('a call that is taken back stops the work', async () => {
    const { supervisor } = daemon.daemon.context;
    const stop = new AbortController();
    const calling = connection.client.callTool(
      { name: 'forecast', arguments: { series: [series()], model: 'endless', horizon: 7 } },
      { signal: stop.signal },
    );
    await vi.waitFor(() => expect(supervisor.inFlightTotal).toBe(1), 20_000);
    stop.abort('enough');
    await expect(calling).rejects.toThrow();
    if (isCancellable) await vi.waitFor(() => expect(supervisor.inFlightTotal).toBe(0), 20_000);
    else await supervisor.stop('endless');
  });

  test('resources and prompts complete their names', async () => {
    const { completion } = await connection.client.complete({
      ref: { type: 'ref/resource', uri: 'model://{name}' },
      argument: { name: 'name', value: 'seasonal' },
    });
    expect(completion.values).toEqual(['seasonal-naive']);
    const model = await connection.client.readResource({ uri: 'model://mock' });
    expect(JSON.parse((model.contents[0] as { text: string }).text)).toMatchObject({
      model: 'mock',
      family: 'mock',
    });
  });
});

test('over stdio a name that nobody has is a wrong parameter, not a fault of the server', async () => {
  await using connection = await overStdio('auto');
  const { client } = connection;
  await expect(client.readResource({ uri: 'model://nobody' })).rejects.toMatchObject({
    code: -32602,
  });
  await expect(
    client.getPrompt({ name: 'explain_forecast', arguments: { run: 'nobody' } }),
  ).rejects.toMatchObject({ code: -32602 });
});

test('over stdio no name leads out of the folder, and the process ends with its client', async () => {
  const connection = await overStdio('auto');
  const { pid } = connection.client.transport as StdioClientTransport;
  const answer = await call(connection, 'describe_series', { dataset: '../daily sales.csv' });
  expect(answer).toMatchObject({ isError: true });
  expect(answer.text).toContain("there is no dataset '../daily sales.csv'");
  await connection[Symbol.asyncDispose]();
  await vi.waitFor(() => expect(() => process.kill(pid!, 0)).toThrow(), 10_000);
});

test('without a daemon a call fails in words and the server goes on', async () => {
  const client = new Client({ name: 'test', version: '1' });
  const args = [PROGRAM, 'mcp', '--base-url', 'http://127.0.0.1:9'];
  await client.connect(new StdioClientTransport({ command: process.execPath, args }));
  const answer = await call({ client, ...disposing(client) }, 'list_models', {});
  expect(answer.text).toContain('DAEMON_UNREACHABLE');
  expect((await client.listTools()).tools).toHaveLength(TOOLS.length);
  await client.close();
});
