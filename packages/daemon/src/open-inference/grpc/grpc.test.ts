import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Client,
  type ClientDuplexStream,
  credentials,
  loadPackageDefinition,
  Metadata,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts';
import type { ModelInferResponse, TensorMessage } from './messages.ts';
import { LOADING, PROTO } from './server.ts';

type Answer<T> = (
  error: { code: number; details: string; metadata: Metadata } | null,
  a: T,
) => void;
type Call = <T>(request: object, metadata: Metadata, answer: Answer<T>) => void;
interface Streaming {
  readonly ModelStreamInfer: () => ClientDuplexStream<object, unknown>;
}
type Service = new (address: string, channel: object) => Client & Record<string, Call>;

const packages = loadPackageDefinition(loadSync(PROTO, LOADING)) as unknown as {
  readonly inference: { readonly GRPCInferenceService: Service };
};

const connect = ({ daemon }: TestDaemon) => {
  const address = `127.0.0.1:${daemon.grpcPort}`;
  const client = new packages.inference.GRPCInferenceService(address, credentials.createInsecure());
  return {
    close: () => client.close(),
    stream: () => (client as unknown as Streaming).ModelStreamInfer(),
    ask: <T = Record<string, unknown>>(method: string, request: object = {}, key?: string) =>
      new Promise<T>((resolve, reject) => {
        const metadata = new Metadata();
        if (key) metadata.set('authorization', `Bearer ${key}`);
        client[method]!<T>(request, metadata, (error, answer) =>
          error ? reject(error) : resolve(answer),
        );
      }),
  };
};

let at: TestDaemon;
let grpc: ReturnType<typeof connect>;
beforeAll(async () => {
  at = await startTestDaemon({ TOLLAMA_GRPC_PORT: '0' });
  grpc = connect(at);
});
afterAll(async () => {
  grpc.close();
  await at[Symbol.asyncDispose]();
});

const MODEL = 'seasonal-naive';
const values = Array.from({ length: 20 }, (_, i) => 1 + (i % 5));
const bytesOf = (array: Float32Array | Int32Array): Buffer =>
  Buffer.from(array.buffer, array.byteOffset, array.byteLength);

const context = { name: 'context', datatype: 'FP32', shape: [2, 10] };
const horizon = { name: 'horizon', datatype: 'INT32', shape: [1] };
const typed = [
  { ...context, contents: { fp32_contents: values } },
  { ...horizon, contents: { int_contents: [4] } },
];
const raw = {
  inputs: [context, horizon],
  raw_input_contents: [bytesOf(Float32Array.from(values)), bytesOf(Int32Array.of(4))],
};

const infer = (request: object) =>
  grpc.ask<ModelInferResponse>('ModelInfer', { model_name: MODEL, ...request });

const output = ({ outputs }: ModelInferResponse, name: string): TensorMessage =>
  outputs.find((tensor) => tensor.name === name)!;

test('the server, its models and what they take', async () => {
  expect(await grpc.ask('ServerLive')).toEqual({ live: true });
  expect(await grpc.ask('ServerReady')).toEqual({ ready: true });
  expect(await grpc.ask('ServerMetadata')).toMatchObject({
    name: 'tollama',
    extensions: expect.arrayContaining(['model_repository']),
  });
  expect(await grpc.ask('ModelReady', { name: MODEL })).toEqual({ ready: true });
  expect(await grpc.ask('ModelReady', { name: 'nope' })).toEqual({ ready: false });
  const metadata = await grpc.ask('ModelMetadata', { name: MODEL, version: '1' });
  const { body } = await at.call('GET', `/v2/models/${MODEL}`);
  const { inputs, outputs } = body as Record<string, { shape: number[] }[]>;
  const texts = (tensors: { shape: number[] }[] | undefined) =>
    tensors!.map((tensor) => ({ ...tensor, shape: tensor.shape.map(String) }));
  expect(metadata).toMatchObject({
    name: MODEL,
    versions: ['1'],
    inputs: texts(inputs),
    outputs: texts(outputs),
    properties: { freq_free: 'true' },
  });
  expect(await grpc.ask('ModelConfig', { name: MODEL })).toMatchObject({
    config: {
      name: MODEL,
      backend: 'tollama',
      input: expect.arrayContaining([
        { name: 'context', data_type: 'TYPE_FP32', dims: ['-1', '-1'], optional: false },
      ]),
      instance_group: [{ name: MODEL, count: 1, kind: 'KIND_CPU' }],
    },
  });
});

test('typed contents are answered with typed contents, equal to those of HTTP', async () => {
  const answer = await infer({ id: 'a', inputs: typed });
  expect(answer).toMatchObject({ id: 'a', model_name: MODEL, model_version: '1' });
  expect(answer.raw_output_contents).toEqual([]);
  const { body } = await at.call('POST', `/v2/models/${MODEL}/infer`, {
    inputs: [
      { ...context, data: values },
      { ...horizon, data: [4] },
    ],
  });
  const { outputs } = body as { outputs: { name: string; shape: number[]; data: number[] }[] };
  for (const { name, shape, data } of outputs) {
    const same = output(answer, name);
    expect(same.shape).toEqual(shape.map(String));
    expect(same.contents!.fp32_contents).toEqual(data);
  }
  expect(output(answer, 'mean').parameters).toMatchObject({
    kind: { string_param: expect.stringMatching(/mean|median/) },
  });
});

interface StreamAnswer {
  readonly error_message: string;
  readonly infer_response: ModelInferResponse;
}

test('a stream has an answer for each request, in their order, and outlives one that fails', async () => {
  const stream = grpc.stream();
  const answers: StreamAnswer[] = [];
  const ended = new Promise<void>((resolve, reject) => {
    stream.on('data', (answer: StreamAnswer) => answers.push(answer));
    stream.on('error', reject);
    stream.on('end', resolve);
  });
  const count = 80;
  for (let i = 0; i < count; i++) {
    const model_name = i === 3 ? 'nope' : MODEL;
    stream.write({ model_name, id: String(i), ...(i % 2 ? raw : { inputs: typed }) });
  }
  stream.end();
  await ended;
  expect(answers.map(({ infer_response }) => infer_response.id)).toEqual(
    Array.from({ length: count }, (_, i) => String(i)),
  );
  expect(answers[3]!.error_message).toContain("unknown model 'nope'");
  const told = answers.filter(({ error_message }) => error_message === '');
  expect(told).toHaveLength(count - 1);
  expect(told[0]!.infer_response.outputs).toHaveLength(3);
});

test('raw contents are answered with raw contents, in the order of the outputs', async () => {
  const answer = await infer(raw);
  expect(answer.outputs.map(({ name }) => name)).toEqual(['mean', 'quantiles', 'quantile_levels']);
  const sizes = answer.outputs.map(({ shape }) => 4 * shape.map(Number).reduce((a, b) => a * b));
  expect(answer.raw_output_contents.map(({ length }) => length)).toEqual(sizes);
  const mean = Buffer.from(answer.raw_output_contents[0]!);
  const expected = output(await infer({ inputs: typed }), 'mean').contents!.fp32_contents!;
  expect(expected.map((_, i) => mean.readFloatLE(4 * i))).toEqual(expected);
  const one = await infer({ ...raw, outputs: [{ name: 'quantile_levels' }] });
  expect(one.outputs.map(({ name }) => name)).toEqual(['quantile_levels']);
  expect(one.raw_output_contents).toHaveLength(1);
});

test('a request that runs out of its time is DEADLINE_EXCEEDED', async () => {
  expect((await at.call('POST', '/api/pull', { model: 'mock', stream: false })).status).toBe(200);
  const parameters = { timeout: { int64_param: '1' }, priority: { uint64_param: '1' } };
  await expect(infer({ ...raw, model_name: 'mock', parameters })).rejects.toMatchObject({
    code: 4,
    details: expect.stringMatching(/did not answer in the request's timeout/),
  });
});

test('masks and parameters of every kind', async () => {
  const mask = { name: 'mask', datatype: 'BOOL', shape: [2, 10] };
  const observed = values.map((_, i) => i % 10 > 2);
  const inputs = [...typed, { ...mask, contents: { bool_contents: observed } }];
  const parameters = { freq: { string_param: 'D' }, timeout: { int64_param: '60000000' } };
  const answer = await infer({ inputs, parameters });
  expect(output(answer, 'mean').contents!.fp32_contents).toHaveLength(8);
});

test.each([
  ['an unknown model', { model_name: 'nope', inputs: typed }, 5, /nope/],
  ['an unknown version', { model_version: '7', inputs: typed }, 5, /version '7'/],
  ['no context', { inputs: [typed[1]] }, 3, /context/],
  ['another type', { inputs: [{ ...typed[0], datatype: 'FP64' }] }, 3, /FP64, expected FP32/],
  [
    'values of another type',
    { inputs: [{ ...context, contents: { fp64_contents: values } }] },
    3,
    /fp64_contents/,
  ],
  [
    'too few values',
    { inputs: [{ ...context, shape: [3, 10], contents: typed[0]!.contents }] },
    3,
    /bytes/,
  ],
  ['both kinds', { ...raw, inputs: typed }, 3, /beside raw_input_contents/],
  ['too few raw tensors', { ...raw, raw_input_contents: [Buffer.of()] }, 3, /1 tensors for 2/],
  ['an unknown output', { ...raw, outputs: [{ name: 'x' }] }, 3, /unknown output 'x'/],
])('%s is refused by name', async (_, request, code, details) => {
  await expect(infer(request)).rejects.toMatchObject({
    code,
    details: expect.stringMatching(details),
  });
});

test('a repository: index, unload, load, statistics', async () => {
  type Index = { models: { name: string; version: string; state: string }[] };
  const model_name = 'naive';
  const stateOf = async () => {
    const { models } = await grpc.ask<Index>('RepositoryIndex');
    return models.find(({ name }) => name === model_name)!.state;
  };
  expect(await stateOf()).toBe('READY');
  expect(await grpc.ask('RepositoryModelUnload', { model_name })).toEqual({
    model_name,
    isUnloaded: true,
  });
  expect(await stateOf()).toMatch(/UNLOADING|UNAVAILABLE/);
  expect(await grpc.ask('ModelReady', { name: model_name })).toEqual({ ready: false });
  await expect(infer({ ...raw, model_name })).rejects.toMatchObject({ code: 14 });
  // As KServe's clients send it.
  await grpc.ask('RepositoryModelLoad', { repository_name: model_name });
  expect(await stateOf()).toBe('READY');
  const parameters = { config: { string_param: '{}' } };
  const changed = grpc.ask('RepositoryModelLoad', { model_name, parameters });
  await expect(changed).rejects.toMatchObject({ code: 3 });
  await infer({ ...raw, model_name });
  type Statistics = { model_stats: { inference_stats: { success: { count: string } } }[] };
  const { model_stats } = await grpc.ask<Statistics>('ModelStatistics', { name: model_name });
  expect(model_stats[0]!.inference_stats.success.count).toBe('1');
  expect((await grpc.ask<Statistics>('ModelStatistics')).model_stats.length).toBeGreaterThan(3);
});

describe('keys and limits', () => {
  const home = mkdtempSync(join(tmpdir(), 'tollama-grpc-'));
  writeFileSync(join(home, 'config.json'), JSON.stringify({ auth: { api_keys: ['secret'] } }));
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  test('are those of HTTP', async () => {
    const limits = { TOLLAMA_RATE_LIMIT_PER_MINUTE: '1', TOLLAMA_RATE_LIMIT_BURST: '1' };
    const env = { TOLLAMA_HOME: home, TOLLAMA_GRPC_PORT: '0', ...limits };
    await using guarded = await startTestDaemon(env);
    const { ask, close } = connect(guarded);
    const request = { model_name: MODEL, ...raw };
    await expect(ask('ServerLive')).rejects.toMatchObject({ code: 16 });
    await expect(ask('ModelInfer', request, 'wrong')).rejects.toMatchObject({ code: 16 });
    expect(await ask('ServerLive', {}, 'secret')).toEqual({ live: true });
    await ask('ModelInfer', request, 'secret');
    const error = await ask('ModelInfer', request, 'secret').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 8 });
    expect((error as { metadata: Metadata }).metadata.get('retry-after')).toHaveLength(1);
    close();
  });

  test('a port that is taken is said by its number', async () => {
    const taken = String(at.daemon.grpcPort);
    await expect(startTestDaemon({ TOLLAMA_GRPC_PORT: taken })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(taken),
    });
  });
});
