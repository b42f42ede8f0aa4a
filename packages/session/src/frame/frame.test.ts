/** A session's data from files and its forecasts as files, in every format. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TSAgentSession } from '../session/ts-agent-session.ts';
import { frameArrow, frameParquet, readFrame, writeFrame } from './frame.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frame-'));
});
afterAll(() => rm(folder, { recursive: true }));

const ROWS = ['a', 'b'].flatMap((id) =>
  Array.from({ length: 40 }, (_, day) => ({
    unique_id: id,
    ds: new Date(Date.UTC(2024, 0, day + 1)).toISOString().slice(0, 19),
    y: 10 + (day % 7),
  })),
);

test.each(['csv', 'ndjson', 'parquet', 'arrow', 'feather', 'duckdb'])(
  'a run over %s gives what one over the rows gives, and writes it',
  async (format) => {
    const path = join(folder, `panel.${format}`);
    await writeFrame(path, ROWS);
    const session = new TSAgentSession({ mode: 'quick' });
    const expected = await session.run(ROWS, { h: 7, tsfm_policy: { mode: 'disabled' } });
    const run = await session.run(await readFrame(path), {
      h: 7,
      tsfm_policy: { mode: 'disabled' },
    });
    expect(run.forecast.map(({ yhat }) => yhat)).toEqual(expected.forecast.map(({ yhat }) => yhat));
    const output = join(folder, `forecast.${format}`);
    await writeFrame(output, run.forecast);
    const back = await readFrame(output, { y: 'yhat' });
    expect(back.map(({ yhat }) => yhat)).toEqual(run.forecast.map(({ yhat }) => yhat));
  },
);

test('bytes of Arrow and Parquet are read as files are', async () => {
  const path = join(folder, 'rows.parquet');
  await writeFrame(path, ROWS);
  const rows = await readFrame(path);
  expect(await readFrame(await frameArrow(ROWS))).toEqual(rows);
  expect(await readFrame(await frameParquet(ROWS))).toEqual(rows);
});
