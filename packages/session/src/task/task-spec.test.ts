import { expect, test } from 'vitest';
import { signatureOf, sortedJson } from '../artifact/signature.ts';
import { TSAgentKitError } from '../errors/session-error.ts';
import { sessionSeason } from './season-length.ts';
import { intervalSides, neededQuantiles, parseTaskSpec } from './task-spec.ts';

test('defaults', () => {
  expect(parseTaskSpec({ h: 3 })).toMatchObject({
    freq: null,
    infer_freq: true,
    panel: { unique_id: 'unique_id', ds: 'ds', y: 'y', aggregation: 'reject' },
    forecast: { levels: [80, 95], quantiles: [0.1, 0.5, 0.9] },
    covariate_policy: 'auto',
    backtest: { n_windows: 5, step: null, min_train_size: 56, selection_metric: 'smape' },
    tsfm_policy: { mode: 'preferred', allow_non_tsfm_fallback: true },
  });
});

test('short names mean the long ones; the long one wins', () => {
  const spec = parseTaskSpec({
    horizon: 4,
    rolling_step: 2,
    quantiles: [0.2],
    levels: [50],
    require_tsfm: true,
    tsfm_preference: ['x'],
  });
  expect(spec).toMatchObject({
    h: 4,
    backtest: { step: 2, n_windows: 5 },
    forecast: { levels: [50], quantiles: [0.2] },
    tsfm_policy: { mode: 'required', adapters: ['x'], allow_non_tsfm_fallback: false },
  });
  expect(parseTaskSpec({ horizon: 4, h: 7 }).h).toBe(7);
});

test("a session's defaults hold where the spec says nothing", () => {
  const spec = parseTaskSpec(
    { h: 1, backtest: { step: 3 } },
    { backtest: { n_windows: 2 }, levels: [90] },
  );
  expect(spec.backtest).toMatchObject({ n_windows: 2, step: 3 });
  expect(spec.forecast.levels).toEqual([90]);
});

test('unknown keys and values are refused by name', () => {
  const refused = { code: 'E_TASK_SPEC_INVALID' };
  expect(() => parseTaskSpec({ h: 0 })).toThrow(expect.objectContaining(refused));
  expect(() => parseTaskSpec({ h: 1, horison: 2 })).toThrow(/horison/);
});

test('season lengths by unit, multiples ignored', () => {
  const seasons = [
    'D',
    'B',
    'H',
    '2h',
    'T',
    '15min',
    'M',
    'MS',
    'QS-OCT',
    'W-SUN',
    'YE',
    'ms',
    's',
  ];
  expect(seasons.map(sessionSeason)).toEqual([7, 5, 24, 24, 60, 60, 12, 12, 4, 52, 1, 1, 1]);
});

test('levels and quantiles together', () => {
  expect(intervalSides(80)).toEqual([0.1, 0.9]);
  expect(neededQuantiles(parseTaskSpec({ h: 1 }))).toEqual([0.025, 0.1, 0.5, 0.9, 0.975]);
});

test('signatures do not depend on the order of keys', () => {
  expect(sortedJson({ b: 1, a: { d: 2, c: 3 } })).toBe('{"a":{"c":3,"d":2},"b":1}');
  expect(signatureOf({ a: 1, b: 2 })).toBe(signatureOf({ b: 2, a: 1 }));
});

test('errors as text and as a dictionary', () => {
  const error = new TSAgentKitError('E_OOM', 'too large', {
    context: { mb: 9 },
    fixHint: 'shrink it',
  });
  expect(error.message).toBe('[E_OOM] too large (context: {"mb":9}) [hint: shrink it]');
  expect(error.toAgentDict()).toEqual({
    error_code: 'E_OOM',
    message: 'too large',
    fix_hint: 'shrink it',
    context: { mb: 9 },
  });
});
