/** What the tests of the MCP server share: a daemon with a model that never answers, and a few series. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@modelcontextprotocol/client';
import { startTestDaemon, type TestDaemon } from '../packages/daemon/src/testing/test-daemon.ts';

export const days = (length: number): string[] =>
  Array.from({ length }, (_, i) => new Date(Date.UTC(2024, 0, i + 1)).toISOString().slice(0, 10));

/** A week's pattern. */
export const weekly = (length: number): number[] =>
  Array.from({ length }, (_, i) => 100 + 10 * (i % 7));

export const series = (length = 56) => ({
  id: 'sales',
  freq: 'D',
  timestamps: days(length),
  target: weekly(length),
});

/** Answers everything but forecasts. */
const ENDLESS_RUNNER = `
import { createInterface } from 'node:readline';
const results = {
  hello: { name: 'endless', version: '1', protocol: 1, capabilities: ['ping', 'load', 'forecast'] },
  ping: { ok: true },
  load: { loaded: true, model: 'endless' },
};
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, method } = JSON.parse(line);
  const result = results[method];
  if (result) console.log(JSON.stringify({ id, result }));
});
`;

const REGISTRY = `models:
  - { name: mock, family: mock, source: { type: local, repo_id: tollama/mock-runner, revision: main }, license: { type: mit, needs_acceptance: false } }
  - { name: endless, family: endless, source: { type: local, repo_id: t/endless, revision: main }, license: { type: mit, needs_acceptance: false } }
  - { name: strict, family: mock, source: { type: local, repo_id: t/strict, revision: main }, license: { type: cc-by-nc-4.0, needs_acceptance: true } }
`;

export const startMcpDaemon = async (): Promise<TestDaemon> => {
  const folder = await mkdtemp(join(tmpdir(), 'tollama-mcp-home-'));
  const runner = join(folder, 'endless.mjs');
  await writeFile(runner, ENDLESS_RUNNER);
  const registry = join(folder, 'registry.yaml');
  await writeFile(registry, REGISTRY);
  const commands = { endless: [process.execPath, runner] };
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({ version: 1, daemon: { runner_commands: commands } }),
  );
  const started = await startTestDaemon({
    TOLLAMA_HOME: folder,
    TOLLAMA_MODEL_REGISTRY_PATH: registry,
  });
  for (const model of ['mock', 'endless']) {
    await started.call('POST', '/api/pull', { model, stream: false });
  }
  return {
    ...started,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

export interface Connection extends AsyncDisposable {
  readonly client: Client;
}

export const disposing = (client: Client): AsyncDisposable => ({
  [Symbol.asyncDispose]: () => client.close(),
});

interface Answer {
  readonly isError?: boolean;
  readonly structuredContent?: Record<string, unknown>;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
}

export const call = async (
  { client }: Connection,
  name: string,
  args: Readonly<Record<string, unknown>>,
): Promise<Answer & { readonly text: string }> => {
  const answer = (await client.callTool({ name, arguments: args })) as Answer;
  return { ...answer, text: answer.content[0]?.text ?? '' };
};
