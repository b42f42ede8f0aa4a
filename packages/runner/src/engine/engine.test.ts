import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Engine } from './engine.ts';

const FOLDER = join(import.meta.dirname, '../../../../golden/chronos-bolt/tiny-a');

interface Answer {
  readonly id: string;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string };
}

/** An engine whose answers can be waited for. */
const startEngine = () => {
  const answers = new Map<string, PromiseWithResolvers<Answer>>();
  const of = (id: string): PromiseWithResolvers<Answer> => {
    const known = answers.get(id) ?? Promise.withResolvers<Answer>();
    answers.set(id, known);
    return known;
  };
  const engine = new Engine({ family: 'chronos-bolt', threads: 1 }, (line) => {
    const answer = JSON.parse(line) as Answer;
    of(answer.id).resolve(answer);
  });
  const submit = (id: string, method: string, params: unknown): Promise<Answer> => {
    engine.submit(JSON.stringify({ id, method, params }));
    return of(id).promise;
  };
  const forecast = (id: string, horizon: number): Promise<Answer> =>
    submit(id, 'forecast', {
      ...{ model: 'tiny', model_local_dir: FOLDER, horizon, quantiles: [0.5], options: {} },
      series: [
        {
          ...{ id: 'a', freq: 'D', timestamps: ['2024-01-01', '2024-01-02', '2024-01-03'] },
          target: [1, 2, 3],
        },
      ],
    });
  const cancel = (id: string) => submit(`cancel ${id}`, 'cancel', { id });
  return { forecast, cancel };
};

/** Far beyond one pass of the model: each pass is a run. */
const LONG = 20_000;

/** Turns of the event loop until the engine's first run is under way. */
const underWay = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
};

test('a forecast of many runs ends when it is taken back, and the next one is answered', async () => {
  const { forecast, cancel } = startEngine();
  await forecast('warm', 1);
  const long = forecast('long', LONG);
  await underWay();
  expect((await cancel('long')).result).toEqual({ cancelled: true });
  expect((await long).error).toMatchObject({ code: 'INTERRUPTED' });
  expect((await forecast('next', 2)).result).toMatchObject({ forecasts: [{ id: 'a' }] });
});

test('a run that somebody still waits for goes on', async () => {
  const { forecast, cancel } = startEngine();
  await forecast('warm', 1);
  const [first, second] = [forecast('first', 300), forecast('second', 300)];
  await underWay();
  await cancel('first');
  await first;
  const { forecasts } = (await second).result as { forecasts: { mean: number[] }[] };
  expect(forecasts[0]!.mean).toHaveLength(300);
});

test('nothing is taken back that is unknown', async () => {
  const { cancel } = startEngine();
  expect((await cancel('nobody')).result).toEqual({ cancelled: false });
});
