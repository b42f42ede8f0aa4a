import { expect, test } from 'vitest';
import type { SharedTier, StoredAnswer } from '../cache/answer-cache.ts';
import { openTestGateway } from '../testing/test-gateway.ts';

const tierOf = (get: SharedTier['get'], set: SharedTier['set'] = () => {}): SharedTier => ({
  isUp: true,
  get,
  set,
  [Symbol.asyncDispose]: async () => {},
});

const poisoned = (text: string): SharedTier =>
  tierOf(async () => ({ text, freshUntilMs: 1e15, staleUntilMs: 1e15 }));

const answerWith = (yhat_q: unknown): string =>
  JSON.stringify({ market_id: 'm', horizon_steps: 1, yhat_q, meta: { warnings: [] } });

test.each([
  ['no JSON', '{oops}'],
  ['nothing in it', '{}'],
  ['no rows', '{"market_id":"m","horizon_steps":1,"meta":{"warnings":[]}}'],
  ['null in a row', answerWith({ 0.1: [null], 0.5: [0.5], 0.9: [0.6] })],
  ['out of bounds', answerWith({ 0.1: [0.4], 0.5: [0.5], 0.9: [1.6] })],
  ['out of order', answerWith({ 0.1: [0.6], 0.5: [0.5], 0.9: [0.7] })],
  ['another horizon', answerWith({ 0.1: [0.1, 0.1], 0.5: [0.5, 0.5], 0.9: [0.7, 0.7] })],
  ['other levels', answerWith({ 0.2: [0.1], 0.5: [0.5], 0.8: [0.7] })],
])('an entry with %s is a miss', async (_, text) => {
  await using gateway = await openTestGateway({ shared: poisoned(text) });
  const { meta } = await gateway.answer({ market_id: 'm', horizon_steps: 1 });
  expect(meta).toMatchObject({ runtime: 'tollama', cache_hit: false });
});

test('an answer under other settings is not shared', async () => {
  const kept = new Map<string, StoredAnswer>();
  const shared = tierOf(
    async (key) => kept.get(key),
    (key, answer) => kept.set(key, answer),
  );
  await using wide = await openTestGateway({ shared });
  await using same = await openTestGateway({ shared });
  const interval_sanity = { max_width: 0.05 };
  await using narrow = await openTestGateway({ shared, tsfm: { interval_sanity } });
  const market = { market_id: 'settings' };
  await wide.answer(market);
  expect((await same.answer(market)).meta.cache_tier).toBe('l2');
  expect((await narrow.answer(market)).meta.cache_hit).toBe(false);
});
