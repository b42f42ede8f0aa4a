import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binsOf, tokenize, valueOfToken } from './tokenizer.ts';

const CONFIG = {
  tokenizer_class: 'MeanScaleUniformBins',
  tokenizer_kwargs: { low_limit: -15, high_limit: 15 },
  n_tokens: 66,
  n_special_tokens: 2,
  pad_token_id: 0,
  eos_token_id: 1,
  use_eos_token: true,
  model_type: 'seq2seq',
  context_length: 40,
  prediction_length: 8,
  num_samples: 5,
  temperature: 1,
  top_k: 50,
  top_p: 1,
} as const;

const bins = binsOf(CONFIG);
const width = 30 / 62;

describe('bins', () => {
  test('are equal, ascending and rounded once', () => {
    expect(bins.centers).toHaveLength(63);
    expect(bins.borders).toHaveLength(64);
    expect([bins.centers[0], bins.centers[62]]).toEqual([-15, 15]);
    // Counted from the upper end: torch.linspace leaves this residue in the middle.
    expect(bins.centers[31]).toBe(Math.fround(15 - 31 * Math.fround(width)));
    expect([...bins.borders]).toEqual([...bins.borders].sort((a, b) => a - b));
  });
});

describe('tokenize', () => {
  test('a value comes back as the centre of its bin', () => {
    const value = fc.integer({ min: -100_000, max: 100_000 }).map((x) => x / 128);
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 40 }), (values) => {
        const { ids, scale } = tokenize(values, bins, CONFIG);
        values.forEach((x, i) => {
          if (Math.abs(x / scale) > 14.99) return;
          const back = valueOfToken(ids[i]!, scale, bins, CONFIG);
          expect(Math.abs(back - x)).toBeLessThan(scale * width * 0.5001);
        });
      }),
    );
  });

  test('multiplying a series changes the scale, not the tokens', () => {
    const values = [1, -2.5, Number.NaN, 4, 0.1];
    const once = tokenize(values, bins, CONFIG);
    const twice = tokenize(
      values.map((x) => x * 8),
      bins,
      CONFIG,
    );
    expect(twice).toEqual({ ...once, scale: once.scale * 8 });
  });

  test('gaps are padding, the end token follows, only the last points count', () => {
    const long = [
      ...Array.from({ length: 50 }, () => 1e9),
      ...Array.from({ length: 39 }, () => 1),
      Number.NaN,
    ];
    const { ids, observed, scale } = tokenize(long, bins, CONFIG);
    expect(scale).toBe(1);
    expect(ids).toHaveLength(41);
    expect(ids.slice(-2)).toEqual([0, 1]);
    expect(observed.slice(-2)).toEqual([false, true]);
    expect(tokenize([1], bins, { ...CONFIG, use_eos_token: false }).ids).toHaveLength(1);
  });

  test.each([[[0, 0]], [[Number.NaN]], [[]]])('%j has the scale 1', (values) => {
    expect(tokenize(values, bins, CONFIG).scale).toBe(1);
  });

  test('a value on a border belongs to the upper bin, far values to the outermost', () => {
    // The mean absolute value is 1, so that values are their own multiples of the scale.
    const { borders } = binsOf({
      ...CONFIG,
      tokenizer_kwargs: { low_limit: -15.5, high_limit: 15.5 },
    });
    const half = { centers: bins.centers, borders };
    const at = (value: number): number =>
      tokenize([value, value > 1 ? 0 : 2 - value], half, CONFIG).ids[0]!;
    expect(borders[33]).toBe(0.75);
    expect([at(0.75), at(0.7499999)]).toEqual([36, 35]);
    const spike = [1, ...Array.from({ length: 30 }, () => 0)];
    expect(tokenize(spike, bins, CONFIG).ids[0]).toBe(65);
  });
});

test('special tokens mean the lowest centre', () => {
  expect([0, 1, 2, 3].map((id) => valueOfToken(id, 2, bins, CONFIG))).toEqual([-30, -30, -30, -30]);
  expect(valueOfToken(65, 2, bins, CONFIG)).toBe(30);
});
