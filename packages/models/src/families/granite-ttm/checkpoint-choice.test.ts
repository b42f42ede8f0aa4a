import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseCheckpoint, TTM_CHECKPOINTS, type TtmWish } from './checkpoint-choice.ts';

const key = (wish: TtmWish): string => chooseCheckpoint(wish).key;

describe('as the reference chooses', () => {
  // Found with get_model(..., return_model_key=True) of granite-tsfm 0.3.11.
  test.each<[TtmWish, string]>([
    [{ release: 'r1', contextLength: 600, horizon: 48 }, '512-96-r1'],
    [{ release: 'r1', contextLength: 1024, horizon: 48 }, '1024-96-r1'],
    [{ release: 'r2', contextLength: 512, horizon: 96 }, '512-96-r2'],
    [{ release: 'r2', contextLength: 512, horizon: 48 }, '512-48-ft-r2.1'],
    [{ release: 'r2', contextLength: 512, horizon: 48, preferL1Loss: true }, '512-48-ft-l1-r2.1'],
    [{ release: 'r2', contextLength: 2000, horizon: 300 }, '1536-336-r2'],
    [
      { release: 'r2', contextLength: 2000, horizon: 300, freq: 'D', fallback: 'rolling' },
      '512-96-ft-r2.1',
    ],
    [{ release: 'r2', contextLength: 2000, horizon: 30, freq: 'W' }, '512-48-ft-r2.1'],
    [
      { release: 'r2', contextLength: 100, horizon: 20, preferLongerContext: false },
      '90-30-ft-r2.1',
    ],
    [{ release: 'r2', contextLength: 20, horizon: 10, fallback: 'zeropad' }, '1536-96-r2'],
    [{ release: 'r2-research', contextLength: 512, horizon: 100, freq: 'W' }, '512-192-ft-r2'],
    [{ release: 'r3', contextLength: 512, horizon: 96 }, '512-96-dec-512-r3'],
    [{ release: 'r3', contextLength: 4000, horizon: 100, lite: true }, '2048-720-lite-r3'],
    [{ release: 'r3', contextLength: 123, horizon: 45, fallback: 'zeropad' }, '512-48-dec-512-r3'],
    [{ release: 'r3', contextLength: 600, horizon: 10, freq: 'A' }, '768-48-dec-512-r3'],
  ])('%j', (wish, want) => {
    expect(key(wish)).toBe(want);
  });
});

const wishes = fc.record({
  release: fc.constantFrom('r1' as const, 'r2' as const, 'r2-research' as const, 'r3' as const),
  contextLength: fc.integer({ min: 10, max: 4000 }),
  horizon: fc.integer({ min: 1, max: 720 }),
  preferLongerContext: fc.boolean(),
  lite: fc.boolean(),
});

test('a choice of r1 or r2 fits the history and reaches the horizon', () => {
  fc.assert(
    fc.property(wishes, (wish) => {
      fc.pre(wish.release !== 'r3');
      let chosen: ReturnType<typeof chooseCheckpoint>;
      try {
        chosen = chooseCheckpoint(wish);
      } catch (error) {
        expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND' });
        return;
      }
      expect(chosen.contextLength).toBeLessThanOrEqual(wish.contextLength);
      expect(chosen.horizon).toBeGreaterThanOrEqual(wish.horizon);
    }),
  );
});

test('rolling always finds one for a history that some checkpoint reads', () => {
  fc.assert(
    fc.property(wishes, fc.integer({ min: 721, max: 5000 }), (wish, horizon) => {
      const contextLength = Math.max(512, wish.contextLength);
      const chosen = chooseCheckpoint({ ...wish, contextLength, horizon, fallback: 'rolling' });
      expect(chosen.horizon).toBeLessThan(horizon);
    }),
  );
});

test('what does not fit is refused with a way out', () => {
  expect(() => chooseCheckpoint({ release: 'r2', contextLength: 40, horizon: 96 })).toThrow(
    'no TTM r2 checkpoint reads so short a history (context 40, horizon 96)',
  );
  expect(() => chooseCheckpoint({ release: 'r1', contextLength: 512, horizon: 97 })).toThrow(
    'forecasts so many steps',
  );
});

test('keys are unique within a release and revisions name them', () => {
  for (const all of Object.values(TTM_CHECKPOINTS)) {
    expect(new Set(all.map((one) => one.key)).size).toBe(all.length);
  }
  expect(chooseCheckpoint({ release: 'r2', contextLength: 512, horizon: 96 })).toMatchObject({
    repo: 'ibm-granite/granite-timeseries-ttm-r2',
    revision: 'main',
  });
});
