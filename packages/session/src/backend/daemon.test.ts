import { expect, test } from 'vitest';
import { daemonBackend } from './daemon.ts';

type Body = Parameters<Parameters<typeof daemonBackend>[0]['client']['forecast']>[0];

/** Answers with the last value, in reverse order, and remembers what was asked. */
const fakeClient = (contextLength?: number) => {
  const bodies: Body[] = [];
  const unloaded: string[] = [];
  return {
    bodies,
    unloaded,
    client: {
      forecast: async (body: Body) => {
        bodies.push(body);
        const forecasts = body.series.map(({ id, target }) => ({
          id,
          freq: 'D',
          start_timestamp: '',
          mean: new Array<number>(body.horizon).fill(target.at(-1)!),
          quantiles: Object.fromEntries(
            (body.quantiles ?? []).map((level) => [
              String(level),
              new Array<number>(body.horizon).fill(target.at(-1)! + level),
            ]),
          ),
        }));
        return {
          model: body.model,
          forecasts: forecasts.toReversed(),
          metrics: null,
          timing: { model_load_ms: 0, inference_ms: 0, total_ms: 0 },
          explanation: null,
          narrative: null,
          preprocessing: null,
          usage: { device: 'cpu' },
          warnings: ['one', 'one'],
        };
      },
      unload: async (model: string) => {
        unloaded.push(model);
        return {};
      },
      show: async () => (contextLength === undefined ? {} : { context_length: contextLength }),
    },
  };
};

const seriesOf = (id: string, length: number) => ({
  id,
  freq: 'D',
  target: Float64Array.from({ length }, (_, t) => (t === length - 2 ? Number.NaN : t)),
});

const load = (fake: ReturnType<typeof fakeClient>) =>
  daemonBackend({ client: fake.client }).load({ model: 'm', device: 'cpu', options: { a: 1 } });

test('loading is one forecast, with the settings that the others will have', async () => {
  const fake = fakeClient(512);
  const model = await load(fake);
  expect(fake.bodies).toMatchObject([{ model: 'm', horizon: 1, options: { a: 1, device: 'cpu' } }]);
  expect(model).toMatchObject({ device: 'cpu', contextLength: 512 });
  await model.unload();
  expect(fake.unloaded).toEqual(['m']);
});

test('histories are cut to what the model reads; missing values are told by place', async () => {
  const fake = fakeClient(4);
  const model = await load(fake);
  const { forecasts, warnings } = await model.forecast({
    series: [seriesOf('long', 10), seriesOf('short', 3)],
    horizon: 2,
    quantiles: [0.1, 0.9],
  });
  const [long, short] = fake.bodies[1]!.series;
  expect(long).toMatchObject({ target: [6, 7, 0, 9], missing_indices: [2] });
  expect(short).toMatchObject({ target: [0, 0, 2], missing_indices: [1] });
  const byId = new Map(forecasts.map((one) => [one.id, one]));
  expect([...byId.get('long')!.mean]).toEqual([9, 9]);
  expect([...byId.get('short')!.quantiles[1]!]).toEqual([2.9, 2.9]);
  expect(warnings).toEqual(['one']);
});

test('many points go in several requests', async () => {
  const fake = fakeClient();
  const model = await load(fake);
  const series = ['a', 'b', 'c'].map((id) => seriesOf(id, 90_000));
  const { forecasts } = await model.forecast({ series, horizon: 1, quantiles: [] });
  expect(fake.bodies.slice(1).map((body) => body.series.length)).toEqual([2, 1]);
  expect(forecasts.map(({ id }) => id).sort()).toEqual(['a', 'b', 'c']);
});

test('a covariate that is missing somewhere is carried on', async () => {
  const fake = fakeClient();
  const model = await load(fake);
  const one = seriesOf('a', 4);
  const pastCovariates = { lag: [Number.NaN, 1, Number.NaN, 3] };
  await model.forecast({ series: [{ ...one, pastCovariates }], horizon: 1, quantiles: [0.5] });
  expect(fake.bodies.at(-1)!.series[0]!.past_covariates).toEqual({ lag: [1, 1, 1, 3] });
});
