/** Every family from a folder on disk to a forecast over HTTP: pull, load, forecast, in both precisions. */
import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestDaemon, type TestDaemon } from '../packages/daemon/src/testing/test-daemon.ts';
import { kindOf } from './golden/run.ts';

const golden = resolve(import.meta.dirname, '../golden');

/** The first checkpoint of each folder that holds some. */
const checkpoints = readdirSync(golden, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'training')
  .flatMap(({ name }) => {
    const sets = readdirSync(resolve(golden, name), { withFileTypes: true }).filter((set) =>
      set.isDirectory(),
    );
    const found = sets.find((set) =>
      readdirSync(resolve(golden, name, set.name)).includes('model.safetensors'),
    );
    const folder = found && resolve(golden, name, found.name);
    return folder && kindOf(folder) ? [[name, folder] as const] : [];
  });

const series = (id: string, length: number) => ({
  id,
  freq: 'h',
  timestamps: Array.from({ length }, (_, i) =>
    new Date(Date.UTC(2024, 0, 1, i)).toISOString().slice(0, 19),
  ),
  target: Array.from({ length }, (_, i) => 10 + Math.sin(i / 4) * 3 + i * 0.01),
});

interface Answer {
  readonly forecasts: readonly {
    readonly mean: number[];
    readonly quantiles: Record<string, number[]> | null;
  }[];
}

let at: TestDaemon;
beforeAll(async () => {
  at = await startTestDaemon();
});
afterAll(() => at[Symbol.asyncDispose]());

describe.each(checkpoints)('%s', (name, folder) => {
  test('is pulled by what its files say', async () => {
    const answer = await at.call('POST', '/api/pull', { model: folder, name, stream: false });
    expect(answer).toMatchObject({ status: 200, body: { status: 'success', model: name } });
  });

  test.each(['float32', 'int8'])('forecasts in %s', async (precision) => {
    const body = {
      model: name,
      horizon: 5,
      series: [series('a', 96), series('b', 70)],
      options: { precision },
      keep_alive: 0,
    };
    const answer = await at.call('POST', '/v1/forecast', body);
    expect(answer, JSON.stringify(answer.body).slice(0, 300)).toMatchObject({ status: 200 });
    for (const { mean, quantiles } of (answer.body as Answer).forecasts) {
      expect(mean).toHaveLength(5);
      for (const row of [mean, ...Object.values(quantiles ?? {})])
        expect(row.every(Number.isFinite)).toBe(true);
    }
  });
});
