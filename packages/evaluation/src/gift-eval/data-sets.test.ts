import { expect, test } from 'vitest';
import { findConfiguration, GIFT_EVAL_CONFIGURATIONS, publishedKey } from './data-sets.ts';
import { predictionLength, seasonality, windowCount } from './protocol.ts';

test('there are 97 configurations: 55 short, 21 medium, 21 long', () => {
  const count = (term: string): number =>
    GIFT_EVAL_CONFIGURATIONS.filter((one) => one.term === term).length;
  expect(GIFT_EVAL_CONFIGURATIONS).toHaveLength(97);
  expect([count('short'), count('medium'), count('long')]).toEqual([55, 21, 21]);
  expect(new Set(GIFT_EVAL_CONFIGURATIONS.map(({ name }) => name)).size).toBe(97);
});

test('results rename a few data sets', () => {
  expect(publishedKey('saugeenday/D')).toBe('saugeen');
  expect(publishedKey('LOOP_SEATTLE/5T')).toBe('loop_seattle');
  expect(findConfiguration('kdd_cup_2018/H/long')?.store).toBe('kdd_cup_2018_with_missing/H');
  expect(findConfiguration('bizitobs_service/10S/medium')).toMatchObject({ variates: 2 });
});

test('every configuration has a horizon and a season', () => {
  for (const { store, freq, term } of GIFT_EVAL_CONFIGURATIONS) {
    expect(predictionLength(store, freq, term)).toBeGreaterThan(0);
    expect(seasonality(freq)).toBeGreaterThan(0);
  }
});

test('worked: windows of electricity/15T', () => {
  const windows = [48, 480, 720].map((horizon) => windowCount('electricity/15T', horizon, 140_256));
  expect(windows).toEqual([20, 20, 20]);
});

test('new spellings of frequencies mean the old ones', () => {
  const pairs = [
    ['h', 'H'],
    ['15min', '15T'],
    ['ME', 'M'],
    ['QE-DEC', 'Q'],
    ['YE', 'A'],
    ['10s', '10S'],
  ];
  for (const [now, then] of pairs) expect(seasonality(now!)).toBe(seasonality(then!));
});

test('a frequency without a horizon is refused by name', () => {
  expect(() => predictionLength('x/Q', 'Q', 'short')).toThrow(/'Q' of 'x\/Q' has no horizon/);
});
