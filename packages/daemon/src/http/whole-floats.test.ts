import { expect, test } from 'vitest';
import { wholeFloats } from './whole-floats.ts';

test.each(['3.0', '3e0', '30.00', '-1.0', '3E+2'])('%s is no integer', (number) => {
  const issues = wholeFloats(`{"model":"m","horizon": ${number} ,"series":[]}`);
  expect(issues).toEqual([
    {
      type: 'int_type',
      loc: ['body', 'horizon'],
      msg: 'Input should be a valid integer',
      input: Number(number),
    },
  ]);
});

test.each([
  '{"horizon":3}',
  '{"horizon":3,"timeout":3.0,"quantiles":[0.5],"series":[{"target":[1.0,2.0]}]}',
  '{"horizon":3,"options":{"depth":3.0}}',
  '{"horizon":3,"series":[{"static_covariates":{"count":3.0}}]}',
  '{"id":"\\"horizon\\": 3.0"}',
])('nothing is wrong with %s', (text) => {
  expect(wholeFloats(text)).toEqual([]);
});

test('a field of a field is named by its path', () => {
  const text = '{"parameters":{"metrics":{"names":["mase"],"mase_seasonality":7.0}}}';
  expect(wholeFloats(text)[0]?.loc).toEqual(['body', 'parameters', 'metrics', 'mase_seasonality']);
});
