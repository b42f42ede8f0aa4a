import { expect, test } from 'vitest';
import { ForecastProfile, withProfile } from './forecast-profile.ts';
import { ForecastRequest } from './forecast-request.ts';

const series = [{ id: 's', timestamps: ['2024-01-01', '2024-01-02'], target: [1, 2] }];
const profile = ForecastProfile.parse({
  model: 'mock',
  horizon: 3,
  quantiles: [0.2, 0.8],
  options: { a: 1, b: { c: 1, d: 1 } },
  parameters: { covariates_mode: 'strict' },
});

test('the request goes before the profile, the profile before the default', () => {
  const own = { series, horizon: 2, options: { b: { c: 2 } }, modelfile: 'p' };
  expect(ForecastRequest.parse(withProfile(own, profile))).toMatchObject({
    model: 'mock',
    horizon: 2,
    quantiles: [0.2, 0.8],
    options: { a: 1, b: { c: 2, d: 1 } },
    parameters: { covariates_mode: 'strict' },
  });
});

test('a profile without quantiles leaves the default', () => {
  const bare = ForecastProfile.parse({ model: 'mock' });
  const request = ForecastRequest.parse(withProfile({ series, horizon: 1 }, bare));
  expect(request.quantiles).toEqual([0.1, 0.5, 0.9]);
});

test('covariates get the names that the model knows', () => {
  const mapping = ForecastProfile.parse({ model: 'mock', covariate_mappings: { preis: 'price' } });
  const given = [{ ...series[0], past_covariates: { preis: [1, 2], other: [3, 4] } }];
  expect(withProfile({ series: given }, mapping).series).toMatchObject([
    { past_covariates: { price: [1, 2], other: [3, 4] } },
  ]);
});

test('fields of a wrong type stay as they are, for the schema to refuse', () => {
  const merged = withProfile({ series, horizon: 1, options: [1], parameters: 'x' }, profile);
  const issues = ForecastRequest.safeParse(merged).error!.issues.map(({ path }) => path[0]);
  expect(issues).toEqual(['options', 'parameters']);
});
